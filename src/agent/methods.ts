// `agent`, `agent.wait`, `agent.identity.get`: a client asks for a turn. Trip (b): dispatch -> here -> conversation/intake -> "accepted" -> lane.

import { Fault } from "../base/fault.ts";
import { parseRunId, type SessionKey } from "../base/ids.ts";
import { parseAttachments } from "../conversation/attachments.ts";
import type { Intake } from "../conversation/intake.ts";
import { createRunInbound } from "../conversation/run-inbound.ts";
import { agentOf, checkAgent, sessionOfTarget, widenSessionKey, type RoutePolicy } from "../conversation/route.ts";
import type { Runs } from "../conversation/runs.ts";
import type { Sending } from "../conversation/send.ts";
import type { TurnRow } from "../conversation/store/turns.ts";
import type { MethodParams, MethodResult } from "../protocol/contract.ts";
import type { DeliveryTarget, Inbound, SubmitResult } from "../ports/message.ts";
import type { Caller, HandlersOf } from "../ports/method.ts";

const defaultWaitMs = 30_000;

export interface AgentMethodDependencies {
  readonly intake: Intake;
  readonly runs: Runs;
  readonly sending: Sending;
  readonly routePolicy: () => RoutePolicy;
  /** The canonical key of a session id; undefined when there is none. */
  readonly findSessionKey: (sessionId: string) => Promise<SessionKey | undefined>;
  readonly identity: (agentId: string) => AgentIdentity;
}

/** An agent as the config describes it. */
export interface AgentIdentity {
  readonly name?: string;
  readonly emoji?: string;
  readonly avatar?: string;
}

type Names = "agent" | "agent.wait" | "agent.identity.get";

export function createAgentHandlers(dependencies: AgentMethodDependencies): HandlersOf<Names> {
  const { intake, runs } = dependencies;
  return {
    async agent({ params, caller, signal, accept }) {
      const inbound = await toInbound(params, caller, dependencies);
      const runId = parseRunId(params.idempotencyKey);
      const result = await intake.submit(inbound);
      // the session is what stopping the run needs, and only we know it while the run waits in line
      const sessionKey = inbound.run?.sessionKey;
      accept({ runId, status: "accepted", acceptedAt: acceptedAt(result), ...(sessionKey ? { sessionKey } : {}) });
      const turn = await runs.waitForEnd(runId, 0, signal);
      if (!turn) throw new Fault("aborted", "the connection closed before the run ended");
      return finalAnswer(turn);
    },

    async "agent.wait"({ params, signal }) {
      const turn = await runs.waitForEnd(
        parseRunId(params.runId),
        Math.max(1, params.timeoutMs ?? defaultWaitMs),
        signal,
      );
      if (!turn?.endedAt) return { runId: params.runId, status: "timeout" };
      const times = { startedAt: turn.startedAt ?? turn.acceptedAt, endedAt: turn.endedAt };
      if (turn.state === "ok") return { runId: params.runId, status: "ok", ...times };
      return {
        runId: params.runId,
        status: "error",
        ...times,
        error: turn.outcome?.fault?.message ?? "the run failed",
      };
    },

    async "agent.identity.get"({ params }) {
      const policy = dependencies.routePolicy();
      const sessionKey = params.sessionKey?.trim() ? widenSessionKey(params.sessionKey, policy) : undefined;
      const named = params.agentId?.trim() ? checkAgent(params.agentId, policy) : undefined;
      if (sessionKey && named) checkSessionAgent(sessionKey, named, "agent.identity.get");
      const agentId = named ?? (sessionKey ? agentOf(sessionKey, policy.defaultAgentId) : policy.defaultAgentId);
      return { agentId, ...renderIdentity(dependencies.identity(agentId)) };
    },
  };
}

function renderIdentity({ name, emoji, avatar }: AgentIdentity) {
  const shown = name?.trim() || "Assistant";
  // a path names a file of this machine: nothing that a client could show
  const picture = avatar && /^(?:https?:|data:image\/)/u.test(avatar) ? avatar : undefined;
  return {
    name: shown,
    avatar: picture ?? (emoji?.trim() || shown.slice(0, 1).toUpperCase()),
    ...(emoji?.trim() ? { emoji: emoji.trim() } : {}),
  };
}

function acceptedAt(result: SubmitResult): number | undefined {
  return result.outcome === "accepted" ? result.acceptedAt : undefined;
}

/** @throws Fault when the run failed: the wire then carries payload and error both. */
function finalAnswer(turn: TurnRow): MethodResult<"agent"> {
  const { runId, outcome } = turn;
  if (turn.state === "ok" && outcome) {
    const { provider, model, usage } = outcome;
    return {
      runId,
      status: "ok",
      summary: "completed",
      result: {
        payloads: outcome.text === "" ? [] : [{ text: outcome.text, mediaUrl: null }],
        meta: {
          durationMs: outcome.durationMs,
          agentMeta: {
            sessionId: turn.sessionId ?? "",
            provider: provider ?? "",
            model: model ?? "",
            ...(usage ? { usage } : {}),
          },
          ...(outcome.stopReason ? { stopReason: outcome.stopReason } : {}),
        },
      },
    };
  }
  const fault = outcome?.fault ?? { code: "internal" as const, message: "the run failed" };
  throw new Fault(fault.code, fault.message, { payload: { runId, status: "error", summary: fault.message } });
}

async function toInbound(
  params: MethodParams<"agent">,
  caller: Caller,
  dependencies: AgentMethodDependencies,
): Promise<Inbound> {
  const policy = dependencies.routePolicy();
  const agentId = params.agentId === undefined ? policy.defaultAgentId : checkAgent(params.agentId, policy);
  const deliver = decideDelivery(params, dependencies.sending);
  const sessionKey = await decideSession(params, { ...policy, defaultAgentId: agentId }, dependencies);
  if (params.agentId !== undefined) checkSessionAgent(sessionKey, agentId, "agent");
  return createRunInbound({
    caller,
    runId: parseRunId(params.idempotencyKey),
    sessionKey,
    text: params.message,
    attachments: parseAttachments(params.attachments),
    ...(deliver ? { deliver } : {}),
    ...(params.timeout === undefined ? {} : { timeoutMs: params.timeout * 1000 }),
    ...(params.thinking === undefined ? {} : { thinking: params.thinking }),
    ...(params.extraSystemPrompt === undefined ? {} : { extraSystemPrompt: params.extraSystemPrompt }),
  });
}

function decideDelivery(params: MethodParams<"agent">, sending: Sending): DeliveryTarget | undefined {
  if (params.deliver !== true) return undefined;
  const to = params.replyTo ?? params.to;
  if (to === undefined) {
    throw new Fault("invalid_params", "deliver needs a target", { field: "to", next: "name the chat in `to`" });
  }
  const named = params.replyChannel ?? params.channel;
  const channel = sending.resolveChannel(named === "last" ? undefined : named);
  return channel.parseTarget(to, params.replyAccountId ?? params.accountId);
}

/** sessionKey, else sessionId, else the direct session of `to`, else the agent's main session. */
async function decideSession(
  params: MethodParams<"agent">,
  policy: RoutePolicy,
  dependencies: AgentMethodDependencies,
): Promise<SessionKey> {
  if (params.sessionKey !== undefined) return widenSessionKey(params.sessionKey, policy);
  if (params.sessionId !== undefined) {
    const known = await dependencies.findSessionKey(params.sessionId);
    if (known) return known;
    return widenSessionKey(params.sessionId, policy);
  }
  if (params.to !== undefined) return sessionOfPeer(params, policy, dependencies.sending);
  return widenSessionKey("main", policy);
}

/** The session that the peer's own messages go to, so that a client can join that conversation. */
function sessionOfPeer(params: MethodParams<"agent">, policy: RoutePolicy, sending: Sending): SessionKey {
  const to = (params.to ?? "").trim();
  const isNamed = params.channel !== undefined && params.channel !== "last";
  const channel = isNamed ? sending.resolveChannel(params.channel) : sending.onlyChannel();
  const target = channel
    ? channel.parseTarget(to, params.accountId)
    : { channel: "client", account: "default", chatId: to };
  return sessionOfTarget(target, policy);
}

function checkSessionAgent(sessionKey: SessionKey, agentId: string, method: string): void {
  const other = agentOf(sessionKey, agentId);
  if (other === agentId) return;
  throw new Fault(
    "invalid_params",
    `invalid ${method} params: agent "${agentId}" does not match session key agent "${other}"`,
    { field: "agentId" },
  );
}
