// What was said, in order. Messages of a turn carry (run, step): an attempt that resumes goes on after what is stored.

import type { RunId } from "../../base/ids.ts";
import type { Sql, SqlRow } from "../../platform/database.ts";
import { ellipsize } from "../../base/text.ts";
import type { TranscriptMessage } from "../../ports/turn.ts";

/** Characters of a message that are kept beside it for lists. */
export const maxPreview = 1_000;

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
      "INSERT INTO transcript (session_id, run_id, step, at, role, preview, message) VALUES (?, ?, ?, ?, ?, ?, ?)",
      place.sessionId,
      place.runId ?? null,
      first === undefined ? null : first + index,
      message.timestamp,
      message.role,
      previewOf(message),
      JSON.stringify(message),
    );
  }
}

/** What this turn has stored so far, oldest first. */
export function messagesOfRun(sql: Sql, runId: RunId): TranscriptMessage[] {
  return sql.all("SELECT message FROM transcript WHERE run_id = ? ORDER BY step", runId).map(toMessage);
}

function previewOf({ content }: TranscriptMessage): string {
  const texts = content.flatMap((block) => (block.type === "text" ? [block.text.slice(0, maxPreview + 1)] : []));
  if (texts.length > 0) return ellipsize(texts.join(" ").trim(), maxPreview);
  const names = content.flatMap((block) => (block.type === "toolCall" ? [block.name] : [`[${block.type}]`]));
  return ellipsize(names.join(", "), maxPreview);
}

/** Entries of a session that are not archived. */
const live = `session_id = ?1 AND id >= coalesce((SELECT first_entry FROM sessions WHERE session_id = ?1), 0)`;

/** The newest `limit` messages of a session, oldest first, without those of `exceptRun` and archived ones. */
export function recentMessages(sql: Sql, sessionId: string, limit: number, exceptRun?: RunId): TranscriptMessage[] {
  return sql
    .all(
      `SELECT message FROM transcript WHERE ${live} AND (run_id IS NULL OR run_id <> ?2) ORDER BY id DESC LIMIT ?3`,
      sessionId,
      exceptRun ?? "",
      limit,
    )
    .map(toMessage)
    .toReversed();
}

export interface Preview {
  readonly role: TranscriptMessage["role"];
  readonly text: string;
}

/** The beginnings of the newest messages, oldest first; reads no message whole. */
export function recentPreviews(sql: Sql, sessionId: string, limit: number): Preview[] {
  return sql
    .all(`SELECT role, preview FROM transcript WHERE ${live} ORDER BY id DESC LIMIT ?2`, sessionId, limit)
    .map((row) => ({ role: row["role"] as Preview["role"], text: String(row["preview"]) })) // written by appendMessages
    .toReversed();
}

/** What a person said first, looked for among the first few messages. */
export function firstWords(sql: Sql, sessionId: string): string | undefined {
  const row = sql.get(
    `SELECT preview FROM (SELECT id, role, preview FROM transcript WHERE ${live} ORDER BY id LIMIT 8)
       WHERE role = 'user' AND preview <> '' ORDER BY id LIMIT 1`,
    sessionId,
  );
  return row && String(row["preview"]);
}

/** The last thing that was said by the person or the agent, looked for among the last few messages. */
export function lastWords(sql: Sql, sessionId: string): string | undefined {
  const row = sql.get(
    `SELECT preview FROM (SELECT id, role, preview FROM transcript WHERE ${live} ORDER BY id DESC LIMIT 8)
       WHERE role <> 'toolResult' AND preview <> '' ORDER BY id DESC LIMIT 1`,
    sessionId,
  );
  return row && String(row["preview"]);
}

/** The oldest entry that stays when the newest `keep` are kept; undefined when no more than that are there. */
export function cutBelow(sql: Sql, sessionId: string, keep: number): number | undefined {
  const rows = sql.all(
    `SELECT id FROM transcript WHERE ${live} ORDER BY id DESC LIMIT 2 OFFSET ?2`,
    sessionId,
    keep - 1,
  );
  return rows.length === 2 ? Number(rows[0]?.["id"]) : undefined;
}

/** How many messages are not archived, counted up to `limit`. */
export function countMessages(sql: Sql, sessionId: string, limit: number): number {
  const row = sql.get(`SELECT count(*) AS n FROM (SELECT 1 FROM transcript WHERE ${live} LIMIT ?2)`, sessionId, limit);
  return Number(row?.["n"] ?? 0);
}

/** All of a session, archived entries too. */
export function deleteMessages(sql: Sql, sessionId: string): void {
  sql.run("DELETE FROM transcript WHERE session_id = ?", sessionId);
}
