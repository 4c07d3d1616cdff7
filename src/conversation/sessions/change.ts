// Changes of sessions on request: how they are set, begun anew, shortened, removed. What was said is never deleted here: it is
// archived, and retention removes it later.

import { Fault } from "../../base/fault.ts";
import type { Ids, SessionKey } from "../../base/ids.ts";
import type { Sql } from "../../platform/database.ts";
import type { HandlersOf } from "../../ports/method.ts";
import { agentOf, checkAgent, mainKeyOf, widenSessionKey, type RoutePolicy } from "../route.ts";
import { insertArchive } from "../store/archives.ts";
import {
  cutSession,
  deleteSession,
  findSession,
  findSessionByLabel,
  restartSession,
  saveSettings,
  touchSession,
  type SessionRow,
} from "../store/sessions.ts";
import { countMessages, cutBelow } from "../store/transcript.ts";
import type { SessionFeed } from "./feed.ts";
import { createWhenQuiet, type QuietDependencies } from "./quiet.ts";
import { nextModel, renderEntry, type ViewModel } from "./render.ts";
import { decidePatch, type PatchParams, type ResolveModel } from "./settings.ts";

const defaultKept = 400;

export interface ChangeDependencies extends QuietDependencies {
  readonly ids: Ids;
  readonly sessionFeed: SessionFeed;
  readonly routePolicy: () => RoutePolicy;
  readonly viewModel: ViewModel;
  readonly resolveModel: ResolveModel;
  /** Where sessions are kept, for people. */
  readonly path: string;
}

type Names = "sessions.patch" | "sessions.reset" | "sessions.delete" | "sessions.compact";

export function createChangeHandlers(dependencies: ChangeDependencies): HandlersOf<Names> {
  const { database, clock, ids, sessionFeed, path, viewModel } = dependencies;
  const widen = (key: string) => widenSessionKey(key, dependencies.routePolicy());
  const whenQuiet = createWhenQuiet(dependencies);
  const archiveName = ({ sessionId }: SessionRow) => `${path}#${sessionId}`;

  return {
    async "sessions.patch"({ params }) {
      const key = widen(params.key);
      const session = await database.write((sql) => patch(sql, { ...params, key }, dependencies));
      sessionFeed.changed(key, "patch");
      const next = nextModel(session, viewModel, session.settings.model);
      return {
        ok: true,
        path,
        key,
        entry: renderEntry(session),
        resolved: {
          ...(next?.provider ? { modelProvider: next.provider } : {}),
          ...(next?.model ? { model: next.model } : {}),
        },
      };
    },

    async "sessions.reset"({ params, signal }) {
      const key = widen(params.key);
      const session = await whenQuiet({ key, isQueueKept: true, signal }, (sql) => {
        const now = clock.now();
        const current = findSession(sql, key);
        if (current) {
          insertArchive(sql, { sessionId: current.sessionId, sessionKey: key, reason: "reset", now });
          restartSession(sql, key, ids.uuid(), now);
        }
        return make(sql, key, dependencies);
      });
      sessionFeed.changed(key, "reset");
      return { ok: true, key, entry: renderEntry(session) };
    },

    async "sessions.delete"({ params, signal }) {
      const key = widen(params.key);
      if (key === mainKeyOf(dependencies.routePolicy())) {
        throw new Fault("invalid_params", `Cannot delete the main session (${key}).`, {
          field: "key",
          next: "use sessions.reset to begin it anew",
        });
      }
      const isArchived = params.deleteTranscript !== false;
      const session = await whenQuiet({ key, isQueueKept: false, signal }, (sql) => {
        const current = findSession(sql, key);
        if (!current) return undefined;
        const { sessionId } = current;
        if (isArchived) insertArchive(sql, { sessionId, sessionKey: key, reason: "deleted", now: clock.now() });
        deleteSession(sql, key);
        return current;
      });
      if (session) sessionFeed.changed(key, "delete");
      return {
        ok: true,
        key,
        deleted: session !== undefined,
        archived: session && isArchived ? [archiveName(session)] : [],
      };
    },

    async "sessions.compact"({ params }) {
      const key = widen(params.key);
      const keep = params.maxLines ?? defaultKept;
      const done = await database.write((sql) => compact(sql, key, { keep, now: clock.now() }));
      if (!done.session) return { ok: true, key, compacted: false, reason: "no sessionId" };
      if (!done.isCut) {
        return {
          ok: true,
          key,
          compacted: false,
          kept: done.kept,
          ...(done.kept === 0 ? { reason: "no transcript" } : {}),
        };
      }
      sessionFeed.changed(key, "compact");
      return { ok: true, key, compacted: true, kept: keep, archived: archiveName(done.session) };
    },
  };
}

/**
 * The session, made when there is none.
 * @throws Fault `invalid_params` when a new one would be of an agent that is not configured.
 */
function make(sql: Sql, key: SessionKey, { clock, ids, routePolicy }: ChangeDependencies): SessionRow {
  const policy = routePolicy();
  const agentId = agentOf(key, policy.defaultAgentId);
  if (!findSession(sql, key)) checkAgent(agentId, policy);
  return touchSession(sql, { key, sessionId: ids.uuid(), agentId, now: clock.now() });
}

function patch(
  sql: Sql,
  params: PatchParams & { readonly key: SessionKey },
  dependencies: ChangeDependencies,
): SessionRow {
  const { resolveModel, routePolicy } = dependencies;
  const { key } = params;
  const current = make(sql, key, dependencies);
  const change = decidePatch(params, {
    current,
    resolveModel,
    widen: (text) => widenSessionKey(text, routePolicy()),
  });
  const holder = change.label === undefined ? undefined : findSessionByLabel(sql, change.label);
  if (holder && holder.key !== key) {
    throw new Fault("invalid_params", `label already in use: ${change.label}`, {
      field: "label",
      next: `choose another, or clear that of ${holder.key}`,
    });
  }
  saveSettings(sql, key, change);
  return { ...current, ...change };
}

function compact(sql: Sql, key: SessionKey, { keep, now }: { keep: number; now: number }) {
  const session = findSession(sql, key);
  if (!session) return { session: undefined, isCut: false, kept: 0 };
  const { sessionId } = session;
  const firstKept = cutBelow(sql, sessionId, keep);
  if (firstKept === undefined) return { session, isCut: false, kept: countMessages(sql, sessionId, keep) };
  insertArchive(sql, { sessionId, sessionKey: key, belowId: firstKept, reason: "compacted", now });
  cutSession(sql, key, firstKept);
  return { session, isCut: true, kept: keep };
}
