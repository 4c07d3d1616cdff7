// `chat.*`: the Gateway's own chat, for web pages and apps. History, send, abort, inject; the answer comes as `chat` events.

import { Fault } from "../../base/fault.ts";
import { parseRunId, type SessionKey } from "../../base/ids.ts";
import { parseAttachments } from "../../conversation/attachments.ts";
import type { Intake } from "../../conversation/intake.ts";
import type { Lane } from "../../conversation/lane.ts";
import { createRunInbound } from "../../conversation/run-inbound.ts";
import { widenSessionKey, type RoutePolicy } from "../../conversation/route.ts";
import type { Runs } from "../../conversation/runs.ts";
import type { Inject } from "../../conversation/sessions/inject.ts";
import { withinBytes } from "../../conversation/sessions/within-bytes.ts";
import { isStopWord } from "../../conversation/stop-word.ts";
import { findSession } from "../../conversation/store/sessions.ts";
import { recentMessages } from "../../conversation/store/transcript.ts";
import type { Database } from "../../platform/database.ts";
import type { HandlersOf } from "../../ports/method.ts";

const defaultHistory = 200;

export interface ChatDependencies {
  readonly database: Database;
  readonly intake: Intake;
  readonly lane: Lane;
  readonly runs: Runs;
  readonly routePolicy: () => RoutePolicy;
  readonly inject: Inject;
}

type Names = "chat.send" | "chat.history" | "chat.abort" | "chat.inject";

export function createChatHandlers(dependencies: ChatDependencies): HandlersOf<Names> {
  const { database, intake, lane, runs } = dependencies;
  const widen = (key: string) => widenSessionKey(key, dependencies.routePolicy());
  return {
    async "chat.send"({ params, caller }) {
      const sessionKey = widen(params.sessionKey);
      const attachments = parseAttachments(params.attachments);
      if (params.message.trim() === "" && attachments.length === 0) {
        throw new Fault("invalid_params", "message or attachment required", { field: "message" });
      }
      if (isStopWord(params.message)) return stop(lane, sessionKey);

      const runId = parseRunId(params.idempotencyKey);
      const result = await intake.submit(
        createRunInbound({
          caller,
          runId,
          sessionKey,
          text: params.message,
          attachments,
          ...(params.deliver === true ? { deliver: "last" } : {}),
          ...(params.timeoutMs === undefined ? {} : { timeoutMs: params.timeoutMs }),
          ...(params.thinking === undefined ? {} : { thinking: params.thinking }),
        }),
      );
      return result.outcome === "duplicate" ? repeated(runs, runId) : { runId, status: "started" };
    },

    async "chat.history"({ params }) {
      const sessionKey = widen(params.sessionKey);
      const { session, messages } = await database.read((sql) => {
        const found = findSession(sql, sessionKey);
        return {
          session: found,
          messages: found ? recentMessages(sql, found.sessionId, params.limit ?? defaultHistory) : [],
        };
      });
      return {
        sessionKey: params.sessionKey,
        ...(session ? { sessionId: session.sessionId } : {}),
        messages: withinBytes(messages),
        ...(session?.settings.thinkingLevel ? { thinkingLevel: session.settings.thinkingLevel } : {}),
        ...(session?.settings.verboseLevel ? { verboseLevel: session.settings.verboseLevel } : {}),
      };
    },

    async "chat.abort"({ params }) {
      const sessionKey = widen(params.sessionKey);
      if (params.runId === undefined) return stop(lane, sessionKey);
      const run = await runs.find(params.runId);
      if (run && run.sessionKey !== sessionKey) {
        throw new Fault("invalid_params", "runId does not match sessionKey", { field: "runId" });
      }
      const runIds = await lane.abortRun(sessionKey, parseRunId(params.runId), "rpc");
      return { ok: true, aborted: runIds.length > 0, runIds };
    },

    async "chat.inject"({ params }) {
      const messageId = await dependencies.inject(widen(params.sessionKey), params.message, params.label);
      return { ok: true, messageId };
    },
  };
}

async function stop(lane: Lane, sessionKey: SessionKey) {
  const runIds = await lane.abortAll(sessionKey, "rpc");
  return { ok: true as const, aborted: runIds.length > 0, runIds };
}

/** @throws Fault of the run, when it failed. */
async function repeated(runs: Runs, runId: string) {
  const turn = await runs.find(runId);
  if (!turn || turn.endedAt === undefined) return { runId, status: "in_flight" as const };
  if (turn.state === "ok") return { runId, status: "ok" as const };
  const fault = turn.outcome?.fault ?? { code: "internal" as const, message: "the run failed" };
  throw new Fault(fault.code, fault.message, { payload: { runId, status: "error", summary: fault.message } });
}
