// How many rows there are of each kind: numbers, and nothing of what is in them.

import type { Sql } from "../../platform/database.ts";

export interface Tally {
  /** By verdict. */
  readonly inbox: Readonly<Record<string, number>>;
  /** By state. */
  readonly turns: Readonly<Record<string, number>>;
  readonly outbox: Readonly<Record<string, number>>;
  readonly sessions: number;
  readonly transcript: number;
  /** ms since the epoch; null: nothing waits. */
  readonly oldestTurnAt: number | null;
  readonly oldestSendAt: number | null;
}

/** Reads all rows of three tables once. @throws what SQLite says when a table is not there. */
export function tally(sql: Sql): Tally {
  const by = (column: string, table: string) =>
    Object.fromEntries(
      sql
        .all(`SELECT ${column} AS kind, count(*) AS n FROM ${table} GROUP BY 1`)
        .map(({ kind, n }) => [String(kind), Number(n)]),
    );
  const count = (table: string) => Number(sql.get(`SELECT count(*) AS n FROM ${table}`)?.["n"] ?? 0);
  const oldest = (query: string) => {
    const at = sql.get(query)?.["at"];
    return typeof at === "number" ? at : null;
  };
  return {
    inbox: by("verdict", "inbox"),
    turns: by("state", "turns"),
    outbox: by("state", "outbox"),
    sessions: count("sessions"),
    transcript: count("transcript"),
    oldestTurnAt: oldest("SELECT min(accepted_at) AS at FROM turns WHERE state IN ('queued', 'running')"),
    oldestSendAt: oldest("SELECT min(created_at) AS at FROM outbox WHERE state IN ('pending', 'sending')"),
  };
}
