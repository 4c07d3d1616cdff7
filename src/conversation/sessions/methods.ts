// `sessions.*`: lists, looks and subscriptions; changes are beside it. A key is an address, never a right: scopes decide who may
// ask, and whoever may read one session may read all (S34).

import { Fault } from "../../base/fault.ts";
import type { Sql } from "../../platform/database.ts";
import { topicOf } from "../../platform/topics.ts";
import type { HandlersOf } from "../../ports/method.ts";
import type { Topics } from "../../ports/topics.ts";
import type { MethodName, MethodParams } from "../../protocol/contract.ts";
import { widenSessionKey } from "../route.ts";
import { findSession, findSessionById, findSessionByLabel, type SessionRow } from "../store/sessions.ts";
import { recentMessages } from "../store/transcript.ts";
import { createChangeHandlers, type ChangeDependencies } from "./change.ts";
import { listSessionRows, viewSession } from "./list.ts";
import { previewSessions } from "./preview.ts";
import { createUsageHandlers } from "./usage.ts";
import { withinBytes } from "./within-bytes.ts";

const defaultMessages = 200;

export interface SessionMethodDependencies extends ChangeDependencies {
  readonly topics: Topics;
}

type Names = Exclude<Extract<MethodName, `sessions.${string}`>, "sessions.prune"> | "usage.cost";

export function createSessionHandlers(dependencies: SessionMethodDependencies): HandlersOf<Names> {
  const { database, clock, topics } = dependencies;
  const widen = (key: string) => widenSessionKey(key, dependencies.routePolicy());
  return {
    ...createChangeHandlers(dependencies),
    ...createUsageHandlers({ database, clock, widen }),

    "sessions.list": ({ params }) => listSessionRows(params, dependencies),

    async "sessions.describe"({ params }) {
      const session = await database.read((sql) => {
        const found = findSession(sql, widen(params.key));
        return found && viewSession(sql, found, { ...params, viewModel: dependencies.viewModel });
      });
      return { session: session ?? null };
    },

    async "sessions.preview"({ params }) {
      return { ts: clock.now(), previews: await previewSessions(params, { database, widen }) };
    },

    "sessions.resolve": ({ params }) => database.read((sql) => resolve(sql, params, widen)),

    async "sessions.get"({ params }) {
      const key = widen(params.key);
      return database.read((sql) => {
        const session = findSession(sql, key);
        if (!session) return { key, messages: [] };
        const { sessionId } = session;
        return {
          key,
          sessionId,
          messages: withinBytes(recentMessages(sql, sessionId, params.limit ?? defaultMessages)),
        };
      });
    },

    async "sessions.subscribe"({ caller, signal }) {
      topics.add(topicOf("sessions.changed"), caller.connId, signal);
      return { subscribed: true };
    },

    async "sessions.unsubscribe"({ caller }) {
      topics.remove(topicOf("sessions.changed"), caller.connId);
      return { subscribed: false };
    },

    async "sessions.messages.subscribe"({ params, caller, signal }) {
      const key = widen(params.key);
      topics.add(topicOf("session.message", key), caller.connId, signal);
      return { subscribed: true, key };
    },

    async "sessions.messages.unsubscribe"({ params, caller }) {
      const key = widen(params.key);
      topics.remove(topicOf("session.message", key), caller.connId);
      return { subscribed: false, key };
    },
  };
}

function resolve(sql: Sql, params: MethodParams<"sessions.resolve">, widen: (key: string) => string) {
  const [named, another] = (["key", "sessionId", "label"] as const).flatMap((by) => {
    const text = params[by]?.trim();
    return text ? [{ by, text }] : [];
  });
  if (!named) throw new Fault("invalid_params", "Either key, sessionId, or label is required", { field: "key" });
  if (another) {
    throw new Fault("invalid_params", "Provide either key, sessionId, or label (not multiple)", { field: another.by });
  }
  const { by, text } = named;
  const found =
    by === "key"
      ? findSession(sql, widen(text))
      : by === "label"
        ? findSessionByLabel(sql, text)
        : findSessionById(sql, text);
  if (found && isMeant(found, params, by === "key"))
    return { ok: true as const, key: found.key, agentId: found.agentId };
  if (params.allowMissing === true) return { ok: false as const };
  throw new Fault("not_found", `No session found: ${text}`, { field: by, next: "see sessions.list" });
}

function isMeant(session: SessionRow, params: MethodParams<"sessions.resolve">, isByKey: boolean): boolean {
  if (params.agentId !== undefined && params.agentId.trim().toLowerCase() !== session.agentId) return false;
  if (params.spawnedBy !== undefined && params.spawnedBy.trim().toLowerCase() !== session.spawnedBy) return false;
  if (isByKey) return true;
  if (session.key === "global") return params.includeGlobal === true;
  return session.key !== "unknown" || params.includeUnknown === true;
}
