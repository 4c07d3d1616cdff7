// Messages on their way out. A row exists before anything is sent; `sending` means that the outcome is not known yet.
// A row whose outcome stays unknown is flagged and tried once more, never twice (R23).

import type { RunId } from "../../base/ids.ts";
import type { Sql, SqlRow } from "../../platform/database.ts";
import type { DeliveryTarget } from "../../ports/message.ts";

export type OutboxState = "pending" | "sending" | "sent" | "unknown" | "failed";
/** What wrote the row: an agent's reply, a tool, the `send` method, a pairing code, a notice of ours. */
export type OutboxSource = "reply" | "tool" | "send" | "pairing" | "notice";

export interface OutboxPayload {
  readonly text: string;
  readonly replyTo?: string;
  readonly isSilent?: boolean;
}

export interface OutboxRow {
  readonly id: number;
  readonly effectKey: string;
  readonly target: DeliveryTarget;
  readonly conversation: string;
  readonly payload: OutboxPayload;
  readonly state: OutboxState;
  readonly attempts: number;
  readonly isFlagged: boolean;
  readonly dueAt: number;
  readonly messageId: string | undefined;
  readonly reason: string | undefined;
  readonly trace: string | undefined;
}

export interface NewOutboxRow {
  /** Unique for ever: inserting the same effect again does nothing. */
  readonly effectKey: string;
  readonly runId?: RunId;
  readonly source: OutboxSource;
  readonly target: DeliveryTarget;
  readonly payload: OutboxPayload;
  readonly now: number;
  /** The `traceparent` of what writes it. */
  readonly trace?: string | undefined;
}

function toRow(row: SqlRow): OutboxRow {
  const threadId = row["thread_id"];
  return {
    id: Number(row["id"]),
    effectKey: String(row["effect_key"]),
    target: {
      channel: String(row["channel"]),
      account: String(row["account"]),
      chatId: String(row["chat_id"]),
      ...(threadId === null ? {} : { threadId: String(threadId) }),
    },
    conversation: String(row["conversation"]),
    // written by insertOutbox; the state column has a CHECK
    payload: JSON.parse(String(row["payload"])) as OutboxPayload,
    state: row["state"] as OutboxState,
    attempts: Number(row["attempts"]),
    isFlagged: row["is_flagged"] === 1,
    dueAt: Number(row["due_at"]),
    messageId: row["message_id"] === null ? undefined : String(row["message_id"]),
    reason: row["reason"] === null ? undefined : String(row["reason"]),
    trace: row["trace"] === null ? undefined : String(row["trace"]),
  };
}

/** The unit within which order is kept: (channel, account, chat, thread). */
export function conversationOf(target: DeliveryTarget): string {
  return JSON.stringify([target.channel, target.account, target.chatId, target.threadId ?? null]);
}

/** @returns false when this effect has a row already. */
export function insertOutbox(sql: Sql, row: NewOutboxRow): boolean {
  const { changes } = sql.run(
    `INSERT INTO outbox (effect_key, run_id, source, channel, account, chat_id, thread_id, conversation, payload, state, created_at, due_at, trace)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?) ON CONFLICT (effect_key) DO NOTHING`,
    row.effectKey,
    row.runId ?? null,
    row.source,
    row.target.channel,
    row.target.account,
    row.target.chatId,
    row.target.threadId ?? null,
    conversationOf(row.target),
    JSON.stringify(row.payload),
    row.now,
    row.now,
    row.trace ?? null,
  );
  return changes === 1;
}

const heads =
  "state = 'pending' AND id IN (SELECT min(id) FROM outbox WHERE state IN ('pending', 'sending') GROUP BY conversation)";
const maxHeads = 256;
const maxHeadsOfAccount = 64;

/**
 * The first open row of every conversation that waits to be sent, oldest first. Where they are many, some of each account, those that
 * are due before others: an account that does not work stands in nobody's way.
 */
export function headsOfLine(sql: Sql, now: number): OutboxRow[] {
  const all = sql.all(`SELECT * FROM outbox WHERE ${heads} ORDER BY id LIMIT ?`, maxHeads);
  if (all.length < maxHeads) return all.map(toRow);
  return sql
    .all(
      `SELECT outbox.* FROM
         (SELECT id, row_number() OVER (PARTITION BY channel, account ORDER BY due_at > ?, id) AS place
          FROM outbox WHERE ${heads}) AS head
       JOIN outbox USING (id) WHERE place <= ? ORDER BY id`,
      now,
      maxHeadsOfAccount,
    )
    .map(toRow);
}

/** Notes the intent to send. @returns false when the row is no longer pending. */
export function markSending(sql: Sql, id: number): boolean {
  return (
    sql.run("UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE id = ? AND state = 'pending'", id)
      .changes === 1
  );
}

export function markSent(sql: Sql, id: number, messageId: string, now: number): void {
  sql.run(
    "UPDATE outbox SET state = 'sent', message_id = ?, finished_at = ?, reason = NULL WHERE id = ?",
    messageId,
    now,
    id,
  );
}

export function markFailed(sql: Sql, id: number, reason: string, now: number): void {
  sql.run("UPDATE outbox SET state = 'failed', reason = ?, finished_at = ? WHERE id = ?", reason, now, id);
}

/** Back in line: this attempt certainly delivered nothing. */
export function markPending(sql: Sql, id: number, dueAt: number, reason: string): void {
  sql.run("UPDATE outbox SET state = 'pending', due_at = ?, reason = ? WHERE id = ?", dueAt, reason, id);
}

/** The attempt may have delivered: once more if it is the first time, else the row ends as `unknown`. */
export function markUnknown(sql: Sql, id: number, retryAt: number, reason: string): void {
  sql.run(
    `UPDATE outbox SET state = CASE WHEN is_flagged = 0 THEN 'pending' ELSE 'unknown' END,
       finished_at = CASE WHEN is_flagged = 0 THEN NULL ELSE ? END, is_flagged = 1, due_at = ?, reason = ? WHERE id = ?`,
    retryAt,
    retryAt,
    reason,
    id,
  );
}

/** Rows that a crash left in mid-send: tried once more from `retryAt` on. @returns how many. */
export function recoverSending(sql: Sql, retryAt: number): number {
  const rows = sql.all("SELECT id FROM outbox WHERE state = 'sending'");
  for (const row of rows) markUnknown(sql, Number(row["id"]), retryAt, "the Gateway stopped during the send");
  return rows.length;
}

export function findByEffect(sql: Sql, effectKey: string): OutboxRow | undefined {
  const row = sql.get("SELECT * FROM outbox WHERE effect_key = ?", effectKey);
  return row && toRow(row);
}

/** Something that the run says still waits to be sent. */
export function hasOpenSends(sql: Sql, runId: RunId): boolean {
  return sql.get("SELECT 1 FROM outbox WHERE run_id = ? AND state IN ('pending', 'sending')", runId) !== undefined;
}

/** Texts that tools of this turn have sent, or will, to the target. */
export function textsSentByTools(sql: Sql, runId: RunId, target: DeliveryTarget): string[] {
  return sql
    .all(
      "SELECT payload FROM outbox WHERE run_id = ? AND source = 'tool' AND conversation = ? ORDER BY id",
      runId,
      conversationOf(target),
    )
    .map((row) => (JSON.parse(String(row["payload"])) as OutboxPayload).text);
}

export interface OutboxCounts {
  readonly pending: number;
  readonly sending: number;
  /** Since `sinceMs`: rows that ended without being sent. */
  readonly failed: number;
  /** Since `sinceMs`: rows whose outcome was unknown at some time, whatever became of them. */
  readonly flagged: number;
}

export function countOutbox(sql: Sql, sinceMs: number): OutboxCounts {
  const open = sql.all("SELECT state, count(*) AS n FROM outbox WHERE state IN ('pending', 'sending') GROUP BY state");
  const count = (state: OutboxState) => Number(open.find((row) => row["state"] === state)?.["n"] ?? 0);
  const ended = sql.get(
    "SELECT sum(state = 'failed') AS failed, sum(is_flagged) AS flagged FROM outbox WHERE finished_at >= ?",
    sinceMs,
  );
  return {
    pending: count("pending"),
    sending: count("sending"),
    failed: Number(ended?.["failed"] ?? 0),
    flagged: Number(ended?.["flagged"] ?? 0),
  };
}
