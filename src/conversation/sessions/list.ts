// `sessions.list`: a page of rows; titles and last words are read for the rows given, never for those left out.

import type { Clock } from "../../base/clock.ts";
import type { Database, Sql } from "../../platform/database.ts";
import type { MethodParams, MethodResult } from "../../protocol/contract.ts";
import { listPage, type SessionFilter } from "../store/session-list.ts";
import type { SessionRow } from "../store/sessions.ts";
import { firstWords, lastWords } from "../store/transcript.ts";
import { renderSession, type ViewModel, type WireSession } from "./render.ts";

const defaultRows = 100;
const maxRows = 1_000;
/** Rows of a list that get titles and last words. */
const maxTitledRows = 200;

type ListParams = MethodParams<"sessions.list">;

export interface ListDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly viewModel: ViewModel;
  readonly path: string;
}

export async function listSessionRows(
  params: ListParams,
  { database, clock, viewModel, path }: ListDependencies,
): Promise<MethodResult<"sessions.list">> {
  const ts = clock.now();
  const limit = Math.min(maxRows, params.limit ?? defaultRows);
  const offset = params.offset ?? 0;
  const view = remembering(viewModel);
  const { total, sessions } = await database.read((sql) => {
    const page = listPage(sql, toFilter(params, ts), { limit, offset });
    return {
      total: page.total,
      sessions: page.sessions.map((session, index) =>
        viewSession(sql, session, { ...(index < maxTitledRows ? params : {}), viewModel: view }),
      ),
    };
  });
  const next = offset + sessions.length;
  const model = viewModel(undefined);
  return {
    ts,
    path,
    count: sessions.length,
    totalCount: total,
    limitApplied: limit,
    hasMore: next < total,
    nextOffset: next < total ? next : undefined,
    defaults: {
      modelProvider: model?.provider ?? null,
      model: model?.model ?? null,
      contextTokens: model?.contextWindow ?? null,
    },
    sessions,
  };
}

/** Rows of a page share few models. */
function remembering(viewModel: ViewModel): ViewModel {
  const known = new Map<string, ReturnType<ViewModel>>();
  return (ref, agentId) => {
    const key = JSON.stringify([ref, agentId]);
    if (!known.has(key)) known.set(key, viewModel(ref, agentId));
    return known.get(key);
  };
}

function toFilter(params: ListParams, now: number): SessionFilter {
  return {
    agentId: params.agentId?.trim().toLowerCase(),
    label: params.label?.trim(),
    spawnedBy: params.spawnedBy?.trim().toLowerCase(),
    search: params.search?.trim(),
    since: params.activeMinutes === undefined ? undefined : now - params.activeMinutes * 60_000,
    isGlobalShown: params.includeGlobal === true,
    isUnknownShown: params.includeUnknown === true,
  };
}

export function viewSession(
  sql: Sql,
  session: SessionRow,
  asked: { includeDerivedTitles?: boolean; includeLastMessage?: boolean; viewModel: ViewModel },
): WireSession {
  return renderSession(session, {
    viewModel: asked.viewModel,
    firstWords: asked.includeDerivedTitles === true ? firstWords(sql, session.sessionId) : undefined,
    lastWords: asked.includeLastMessage === true ? lastWords(sql, session.sessionId) : undefined,
  });
}
