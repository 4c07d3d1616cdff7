// Notes that wait for the next turn of a session. A turn takes them by putting its id on them, so that one that resumes after a
// crash reads the same again.

import type { RunId, SessionKey } from "../../base/ids.ts";
import type { Sql } from "../../platform/database.ts";

export interface SystemEventRow {
  readonly text: string;
  readonly at: number;
}

/** The oldest go when more than this wait. */
export const maxWaiting = 20;

const toRow = (row: Record<string, unknown>): SystemEventRow => ({ text: String(row["text"]), at: Number(row["at"]) });

/** The same text again, right behind itself, is the same note. */
export function addSystemEvent(sql: Sql, sessionKey: SessionKey, event: SystemEventRow): void {
  const last = sql.get(
    "SELECT text FROM system_events WHERE session_key = ? AND run_id IS NULL ORDER BY id DESC LIMIT 1",
    sessionKey,
  );
  if (last?.["text"] === event.text) return;
  sql.run("INSERT INTO system_events (session_key, text, at) VALUES (?, ?, ?)", sessionKey, event.text, event.at);
  sql.run(
    `DELETE FROM system_events WHERE session_key = ?1 AND run_id IS NULL AND id NOT IN
       (SELECT id FROM system_events WHERE session_key = ?1 AND run_id IS NULL ORDER BY id DESC LIMIT ?2)`,
    sessionKey,
    maxWaiting,
  );
}

/** Oldest first. */
export function waitingSystemEvents(sql: Sql, sessionKey: SessionKey): SystemEventRow[] {
  return sql
    .all("SELECT text, at FROM system_events WHERE session_key = ? AND run_id IS NULL ORDER BY id", sessionKey)
    .map(toRow);
}

/** Those that the run has taken before, or takes now at its first attempt; oldest first. */
export function takeSystemEvents(
  sql: Sql,
  turn: { runId: RunId; sessionKey: SessionKey; attempt: number },
): SystemEventRow[] {
  if (turn.attempt === 1) {
    sql.run(
      "UPDATE system_events SET run_id = ? WHERE session_key = ? AND run_id IS NULL",
      turn.runId,
      turn.sessionKey,
    );
  }
  return sql.all("SELECT text, at FROM system_events WHERE run_id = ? ORDER BY id", turn.runId).map(toRow);
}
