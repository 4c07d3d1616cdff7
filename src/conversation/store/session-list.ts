// Sessions by what clients filter for. Rows come from an index in their order: the cost is that of the rows asked for, but for a
// search, which looks at every key and name.

import type { Sql, SqlValue } from "../../platform/database.ts";
import { toSession, type SessionRow } from "./sessions.ts";

export interface SessionFilter {
  readonly agentId?: string;
  readonly label?: string;
  readonly spawnedBy?: string;
  /** Part of key, label, title or session id; letters of either case. */
  readonly search?: string;
  /** Least `updatedAt`. */
  readonly since?: number;
  readonly isGlobalShown: boolean;
  readonly isUnknownShown: boolean;
}

export interface SessionPage {
  readonly total: number;
  readonly sessions: SessionRow[];
}

/** The sessions used last first. */
export function listPage(sql: Sql, filter: SessionFilter, page: { limit: number; offset: number }): SessionPage {
  const { text, values } = toWhere(filter);
  const count = sql.get(`SELECT count(*) AS n FROM sessions${text}`, ...values);
  const rows = sql.all(
    `SELECT * FROM sessions${text} ORDER BY updated_at DESC, key DESC LIMIT ? OFFSET ?`,
    ...values,
    page.limit,
    page.offset,
  );
  return { total: Number(count?.["n"] ?? 0), sessions: rows.map(toSession) };
}

function toWhere(filter: SessionFilter): { text: string; values: SqlValue[] } {
  const parts: [string, ...SqlValue[]][] = [];
  if (filter.agentId !== undefined) parts.push(["agent_id = ?", filter.agentId]);
  if (filter.label !== undefined) parts.push(["label = ?", filter.label]);
  if (filter.spawnedBy !== undefined) parts.push(["spawned_by = ?", filter.spawnedBy]);
  if (filter.since !== undefined) parts.push(["updated_at >= ?", filter.since]);
  if (!filter.isGlobalShown) parts.push(["key <> 'global'"]);
  if (!filter.isUnknownShown) parts.push(["key <> 'unknown'"]);
  if (filter.search) {
    const like = `%${filter.search.replaceAll(/[\\%_]/gu, "\\$&")}%`;
    const columns = ["key", "label", "title", "session_id"];
    parts.push([`(${columns.map((name) => `${name} LIKE ? ESCAPE '\\'`).join(" OR ")})`, ...columns.map(() => like)]);
  }
  const text = parts.length === 0 ? "" : ` WHERE ${parts.map(([condition]) => condition).join(" AND ")}`;
  return { text, values: parts.flatMap(([, ...values]) => values) };
}
