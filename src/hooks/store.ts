// Events that hooks have taken, so that one that comes twice counts once, and runs whose outcome the main session has yet to hear.

import type { RunId, SessionKey } from "../base/ids.ts";
import type { SessionTable } from "../conversation/retention/session-tables.ts";
import { addSystemEvent } from "../conversation/store/system-events.ts";
import type { Migration, Sql } from "../platform/database.ts";

export const hookMigrations: readonly Migration[] = [
  {
    id: "hooks-1",
    sql: `
      CREATE TABLE hook_events (
        path TEXT NOT NULL,
        event_id TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (path, event_id)
      ) STRICT;
      CREATE INDEX hook_events_age ON hook_events (at);
      CREATE TABLE hook_runs (
        run_id TEXT PRIMARY KEY,
        session_key TEXT NOT NULL,
        name TEXT NOT NULL
      ) STRICT;
    `,
  },
];

/** A run's outcome has yet to be told there. */
export const hookRunTable: SessionTable = {
  waiting: (sql) => listRuns(sql).map(({ sessionKey }) => sessionKey),
  forget: () => undefined,
};

const keptMs = 7 * 24 * 3_600_000;
const sweptAtOnce = 50;

export interface HookEvent {
  /** Of the hook: ids of one sender say nothing about those of another (S28). */
  readonly path: string;
  readonly eventId: string;
}

export function hasEvent(sql: Sql, { path, eventId }: HookEvent): boolean {
  return sql.get("SELECT 1 FROM hook_events WHERE path = ? AND event_id = ?", path, eventId) !== undefined;
}

export function addEvent(sql: Sql, { path, eventId }: HookEvent, now: number): void {
  sql.run(
    "DELETE FROM hook_events WHERE rowid IN (SELECT rowid FROM hook_events WHERE at < ? ORDER BY at LIMIT ?)",
    now - keptMs,
    sweptAtOnce,
  );
  sql.run("INSERT OR IGNORE INTO hook_events (path, event_id, at) VALUES (?, ?, ?)", path, eventId, now);
}

export interface HookRun {
  readonly runId: RunId;
  /** Where its outcome is told. */
  readonly sessionKey: SessionKey;
  readonly name: string;
}

export function addRun(sql: Sql, { runId, sessionKey, name }: HookRun): void {
  sql.run("INSERT OR IGNORE INTO hook_runs (run_id, session_key, name) VALUES (?, ?, ?)", runId, sessionKey, name);
}

export function listRuns(sql: Sql): HookRun[] {
  return sql.all("SELECT run_id, session_key, name FROM hook_runs").map((row) => ({
    // written by addRun, as they are typed here
    runId: String(row["run_id"]) as RunId,
    sessionKey: String(row["session_key"]) as SessionKey,
    name: String(row["name"]),
  }));
}

/** Tells the session once, whatever happens in between. */
export function tellOutcome(sql: Sql, run: HookRun, event: { readonly text: string; readonly at: number }): void {
  if (sql.run("DELETE FROM hook_runs WHERE run_id = ?", run.runId).changes > 0)
    addSystemEvent(sql, run.sessionKey, event);
}
