// What a hook does: wakes the agent in its main session, or runs a turn in a session of its own. It acts for nobody: its principal is
// `hooks`, and it holds no more than writing (S29).

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { parseRunId, type Ids, type RunId, type SessionKey } from "../base/ids.ts";
import type { Intake } from "../conversation/intake.ts";
import { checkAgent, mainKeyOf, widenSessionKey, type RoutePolicy } from "../conversation/route.ts";
import { createRunInbound } from "../conversation/run-inbound.ts";
import type { Sending } from "../conversation/send.ts";
import { findSession } from "../conversation/store/sessions.ts";
import { wake, type WakeDependencies } from "../conversation/wake.ts";
import type { Database } from "../platform/database.ts";
import type { DeliveryTarget } from "../ports/message.ts";
import type { Caller } from "../ports/method.ts";
import { wrapForeign } from "./foreign.ts";
import type { Outcomes } from "./outcomes.ts";
import { addRun } from "./store.ts";

export interface ActionDependencies extends Omit<WakeDependencies, "routePolicy" | "intake"> {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly intake: Intake;
  readonly sending: Pick<Sending, "resolveChannel">;
  readonly routePolicy: () => RoutePolicy;
  readonly outcomes: Pick<Outcomes, "follow">;
}

export interface AgentAction {
  readonly message: string;
  readonly name: string;
  readonly agentId?: string;
  /** Absent: one of its own. */
  readonly sessionKey?: string;
  readonly isDelivered: boolean;
  readonly channel: string;
  readonly to?: string;
  readonly model?: string;
  readonly thinking?: string;
  readonly timeoutSeconds?: number;
  /** The words are the owner's: not marked as foreign. */
  readonly isTrusted: boolean;
}

export interface ActionContext {
  /** Names the run: the same event makes the same one. */
  readonly eventKey: string | undefined;
  /** Makes the marks around foreign words. */
  readonly token: string;
  /** The `traceparent` of the request. */
  readonly trace: string | undefined;
}

const caller: Caller = {
  connId: "hooks",
  principal: "hooks",
  role: "operator",
  scopes: ["operator.write"],
  client: { id: "hooks", mode: "backend", version: "" },
  protocol: 7,
  isLocal: false,
  auth: "token",
};

/** @throws Fault `invalid_params` for an agent, channel or session that there is not. */
export async function runAgent(
  action: AgentAction,
  { eventKey, token, trace }: ActionContext,
  dependencies: ActionDependencies,
): Promise<RunId> {
  const { database, ids, intake, routePolicy, outcomes } = dependencies;
  const policy = routePolicy();
  const agentId = action.agentId === undefined ? policy.defaultAgentId : checkAgent(action.agentId, policy);
  const id = eventKey ?? ids.uuid();
  const runId = parseRunId(`hook:${id}`);
  const mainKey = mainKeyOf(policy, agentId);
  const deliver = await decideDelivery(action, mainKey, dependencies);
  const { message: text, name } = action;
  const result = await intake.submit(
    createRunInbound({
      caller,
      runId,
      sessionKey: widenSessionKey(action.sessionKey ?? `hook:${id}`, { ...policy, defaultAgentId: agentId }),
      text: action.isTrusted ? text : wrapForeign(text, { name, key: token, id }),
      attachments: [],
      trace,
      ...(deliver ? { deliver } : {}),
      ...(action.model === undefined ? {} : { model: action.model }),
      ...(action.thinking === undefined ? {} : { thinking: action.thinking }),
      ...(action.timeoutSeconds === undefined ? {} : { timeoutMs: action.timeoutSeconds * 1000 }),
    }),
  );
  if (result.outcome === "accepted") {
    const run = { runId, sessionKey: mainKey, name };
    await database.write((sql) => addRun(sql, run));
    outcomes.follow(run);
  }
  return runId;
}

/** A named chat, or the one that the main session was last heard from. */
async function decideDelivery(
  { isDelivered, channel, to }: AgentAction,
  mainKey: SessionKey,
  { database, sending }: ActionDependencies,
): Promise<DeliveryTarget | undefined> {
  if (!isDelivered) return undefined;
  const named = channel === "last" ? undefined : channel;
  if (to !== undefined) return sending.resolveChannel(named).parseTarget(to, undefined);
  const last = await database.read((sql) => findSession(sql, mainKey)?.lastRoute);
  if (named === undefined || last?.channel === named) return last;
  throw new Fault("invalid_params", `nobody has written on ${named} yet: the chat must be named`, { field: "to" });
}

/** @throws Fault of the submission. */
export async function wakeAgent(
  { text, mode, name, isTrusted }: { text: string; mode: "now" | "next-heartbeat"; name: string; isTrusted: boolean },
  { trace }: ActionContext,
  dependencies: ActionDependencies,
): Promise<void> {
  // events stand between marks of their own, as reports
  const told = isTrusted ? text : `Hook ${JSON.stringify(name.slice(0, 80))} says: ${text}`;
  await wake({ text: told, mode, caller, trace }, dependencies);
}
