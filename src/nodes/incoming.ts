// What happens on a node and matters here: something was said, a run is asked for, a session is to be followed.

import { Fault } from "../base/fault.ts";
import { parseRunId, type Ids, type SessionKey } from "../base/ids.ts";
import { isRecord, parseJson } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import { ellipsize } from "../base/text.ts";
import type { Intake } from "../conversation/intake.ts";
import { widenSessionKey, type RoutePolicy } from "../conversation/route.ts";
import { createRunInbound } from "../conversation/run-inbound.ts";
import type { Sending } from "../conversation/send.ts";
import { findSession } from "../conversation/store/sessions.ts";
import type { Database } from "../platform/database.ts";
import type { DeliveryTarget } from "../ports/message.ts";
import type { Caller } from "../ports/method.ts";
import type { NodeLink } from "../ports/node-link.ts";
import type { MethodParams } from "../protocol/contract.ts";
import type { Invocations } from "./invocations.ts";
import type { Subscriptions } from "./subscriptions.ts";

export interface IncomingDependencies {
  readonly intake: Intake;
  readonly sending: Pick<Sending, "resolveChannel">;
  readonly database: Database;
  readonly routePolicy: () => RoutePolicy;
  readonly subscriptions: Subscriptions;
  /** The agent sees it with the session's next turn. */
  readonly noteEvent: (sessionKey: SessionKey, text: string) => Promise<void>;
  readonly invocations: Pick<Invocations, "wasAskedFor">;
  readonly ids: Ids;
  readonly log: Log;
}

/** @returns why the event had no effect; undefined when it had. @throws Fault `invalid_params` when it is malformed. */
export type TakeNodeEvent = (event: NodeEvent) => Promise<string | undefined>;

export interface NodeEvent {
  readonly caller: Caller;
  readonly link: NodeLink;
  readonly kind: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

const maxTextLength = 20_000;

export function createIncoming(dependencies: IncomingDependencies): TakeNodeEvent {
  const { subscriptions, log } = dependencies;
  const widen = (key: string) => widenSessionKey(key, dependencies.routePolicy());

  const kinds: Readonly<Record<string, (event: NodeEvent) => Promise<string | undefined>>> = {
    "voice.transcript": (event) => run(event, textOf(event.payload, "text"), dependencies),
    "agent.request": (event) => run(event, textOf(event.payload, "message"), dependencies),
    async "chat.subscribe"({ link, payload }) {
      subscriptions.add(link, widen(textOf(payload, "sessionKey")));
      return undefined;
    },
    async "chat.unsubscribe"({ link, payload }) {
      subscriptions.remove(link.connId, widen(textOf(payload, "sessionKey")));
      return undefined;
    },
    "exec.started": note,
    "exec.finished": note,
    "exec.denied": note,
  };

  /**
   * What a node says about commands is its own word: it is passed on under the node's name, which it does not choose, and to the
   * session that had it asked for one, and to no other (S13).
   */
  async function note({ link, kind, payload }: NodeEvent): Promise<string | undefined> {
    const { sessionKey, runId, exitCode, timedOut, success, reason } = payload;
    log.info(`node: ${kind}`, { node: link.nodeId, sessionKey, runId, exitCode, timedOut, success, reason });
    if (typeof sessionKey !== "string" || !dependencies.invocations.wasAskedFor(link.connId, sessionKey))
      return "no command of this session was given to this node";
    await dependencies.noteEvent(widen(sessionKey), renderExec(link, kind, payload));
    return undefined;
  }

  return async (event) => (Object.hasOwn(kinds, event.kind) ? kinds[event.kind]?.(event) : "unknown event");
}

const maxExecText = 200;

/** `Node <id> reports: exec finished: uname -a (exit 0)`. */
function renderExec({ nodeId }: NodeLink, kind: string, payload: Readonly<Record<string, unknown>>): string {
  const short = (value: unknown) => (typeof value === "string" ? ellipsize(value.trim(), maxExecText) : "");
  const { command, exitCode, timedOut, output, reason } = payload;
  const outcome = [
    typeof exitCode === "number" ? `exit ${exitCode}` : "",
    timedOut === true ? "timed out" : "",
    short(reason),
  ].filter(Boolean);
  const parts = [
    `Node ${nodeId.slice(0, 16)} reports: ${kind.replace(".", " ")}`,
    short(command),
    outcome.length > 0 ? `(${outcome.join(", ")})` : "",
    short(output) === "" ? "" : `output: ${short(output)}`,
  ];
  return parts.filter(Boolean).join(" ");
}

/** `payload`, else the JSON in `payloadJSON`; an empty object when it is neither. */
export function readEventPayload(params: MethodParams<"node.event">): Readonly<Record<string, unknown>> {
  const value = params.payload ?? (params.payloadJSON ? parseJson(params.payloadJSON) : undefined);
  return isRecord(value) ? value : {};
}

async function run(
  { caller, payload }: NodeEvent,
  text: string,
  dependencies: IncomingDependencies,
): Promise<string | undefined> {
  const { ids, intake, routePolicy } = dependencies;
  const { sessionKey: key, thinking, timeoutSeconds } = payload;
  const sessionKey = widenSessionKey(typeof key === "string" ? key : "main", routePolicy());
  const deliver = await decideDelivery(payload, sessionKey, dependencies);
  const result = await intake.submit(
    createRunInbound({
      caller,
      runId: parseRunId(ids.uuid()),
      sessionKey,
      text,
      attachments: [],
      ...(deliver ? { deliver } : {}),
      ...(typeof thinking === "string" ? { thinking } : {}),
      ...(typeof timeoutSeconds === "number" && timeoutSeconds > 0 ? { timeoutMs: timeoutSeconds * 1000 } : {}),
    }),
  );
  return result.outcome === "accepted" ? undefined : result.outcome;
}

/** Where the reply goes besides the session: the chat that is named, else where the session was last heard from. */
async function decideDelivery(
  { deliver, to, channel }: Readonly<Record<string, unknown>>,
  sessionKey: SessionKey,
  { sending, database }: IncomingDependencies,
): Promise<DeliveryTarget | undefined> {
  if (deliver !== true) return undefined;
  if (typeof to !== "string" || to.trim() === "")
    return database.read((sql) => findSession(sql, sessionKey)?.lastRoute);
  const named = typeof channel === "string" && channel !== "last" ? channel : undefined;
  return sending.resolveChannel(named).parseTarget(to.trim(), undefined);
}

function textOf(payload: Readonly<Record<string, unknown>>, field: string): string {
  const value = payload[field];
  if (typeof value === "string" && value.trim() !== "" && value.length <= maxTextLength) return value.trim();
  throw new Fault("invalid_params", `the event needs ${field}: a text of 1 to ${maxTextLength} characters`, {
    field: `payload.${field}`,
  });
}
