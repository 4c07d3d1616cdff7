// What was said, in order. Messages of a turn carry (run, step): an attempt that resumes goes on after what is stored.

import type { RunId } from "../../base/ids.ts";
import type { Sql, SqlRow } from "../../platform/database.ts";
import type { TranscriptMessage } from "../../ports/turn.ts";

// written by append from a TranscriptMessage
const toMessage = (row: SqlRow) => JSON.parse(String(row["message"])) as TranscriptMessage;

export interface TranscriptPlace {
  readonly sessionId: string;
  /** Absent for messages outside a turn (mirrored sends). */
  readonly runId?: RunId;
}

/** Appends after what the run has stored already. */
export function appendMessages(sql: Sql, place: TranscriptPlace, messages: readonly TranscriptMessage[]): void {
  const first = place.runId
    ? Number(
        sql.get("SELECT coalesce(max(step) + 1, 0) AS next FROM transcript WHERE run_id = ?", place.runId)?.["next"] ??
          0,
      )
    : undefined;
  for (const [index, message] of messages.entries()) {
    sql.run(
      "INSERT INTO transcript (session_id, run_id, step, at, message) VALUES (?, ?, ?, ?, ?)",
      place.sessionId,
      place.runId ?? null,
      first === undefined ? null : first + index,
      message.timestamp,
      JSON.stringify(message),
    );
  }
}

/** What this turn has stored so far, oldest first. */
export function messagesOfRun(sql: Sql, runId: RunId): TranscriptMessage[] {
  return sql.all("SELECT message FROM transcript WHERE run_id = ? ORDER BY step", runId).map(toMessage);
}

/** The newest `limit` messages of a session, oldest first, without those of `exceptRun`. */
export function recentMessages(sql: Sql, sessionId: string, limit: number, exceptRun?: RunId): TranscriptMessage[] {
  return sql
    .all(
      `SELECT message FROM transcript WHERE session_id = ? AND (run_id IS NULL OR run_id <> ?) ORDER BY id DESC LIMIT ?`,
      sessionId,
      exceptRun ?? "",
      limit,
    )
    .map(toMessage)
    .toReversed();
}
