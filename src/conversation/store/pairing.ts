// Strangers who asked, and people who were let in.

import type { Sql, SqlRow } from "../../platform/database.ts";

export interface PairingRequest {
  readonly channel: string;
  readonly account: string;
  readonly senderId: string;
  readonly senderName: string | undefined;
  readonly chatId: string;
  readonly code: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
}

function toRequest(row: SqlRow): PairingRequest {
  return {
    channel: String(row["channel"]),
    account: String(row["account"]),
    senderId: String(row["sender_id"]),
    senderName: row["sender_name"] === null ? undefined : String(row["sender_name"]),
    chatId: String(row["chat_id"]),
    code: String(row["code"]),
    createdAt: Number(row["created_at"]),
    lastSeenAt: Number(row["last_seen_at"]),
  };
}

export function isAllowed(sql: Sql, channel: string, account: string, senderId: string): boolean {
  const row = sql.get(
    "SELECT 1 FROM pairing_allowed WHERE channel = ? AND account = ? AND sender_id = ?",
    channel,
    account,
    senderId,
  );
  return row !== undefined;
}

export function allow(sql: Sql, request: PairingRequest, now: number): void {
  sql.run(
    `INSERT INTO pairing_allowed (channel, account, sender_id, sender_name, approved_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
    request.channel,
    request.account,
    request.senderId,
    request.senderName ?? null,
    now,
  );
  sql.run("DELETE FROM pairing_requests WHERE channel = ? AND code = ?", request.channel, request.code);
}

export function forgetRequestsBefore(sql: Sql, time: number): void {
  sql.run("DELETE FROM pairing_requests WHERE created_at < ?", time);
}

export function findRequest(sql: Sql, channel: string, account: string, senderId: string): PairingRequest | undefined {
  const row = sql.get(
    "SELECT * FROM pairing_requests WHERE channel = ? AND account = ? AND sender_id = ?",
    channel,
    account,
    senderId,
  );
  return row && toRequest(row);
}

export function findByCode(sql: Sql, channel: string, code: string): PairingRequest | undefined {
  const row = sql.get("SELECT * FROM pairing_requests WHERE channel = ? AND code = ?", channel, code);
  return row && toRequest(row);
}

export function seeAgain(sql: Sql, request: PairingRequest, now: number): void {
  sql.run(
    "UPDATE pairing_requests SET last_seen_at = ? WHERE channel = ? AND code = ?",
    now,
    request.channel,
    request.code,
  );
}

export function insertRequest(sql: Sql, request: PairingRequest): void {
  sql.run(
    `INSERT INTO pairing_requests (channel, account, sender_id, sender_name, chat_id, code, created_at, last_seen_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    request.channel,
    request.account,
    request.senderId,
    request.senderName ?? null,
    request.chatId,
    request.code,
    request.createdAt,
    request.lastSeenAt,
  );
}

export function listRequests(sql: Sql, channel: string | undefined): PairingRequest[] {
  const rows =
    channel === undefined
      ? sql.all("SELECT * FROM pairing_requests ORDER BY created_at")
      : sql.all("SELECT * FROM pairing_requests WHERE channel = ? ORDER BY created_at", channel);
  return rows.map(toRequest);
}

export interface AllowedSender {
  readonly channel: string;
  readonly account: string;
  readonly senderId: string;
}

/** @returns false when the sender was let in already. */
export function allowSender(sql: Sql, { channel, account, senderId }: AllowedSender, now: number): boolean {
  const text =
    "INSERT INTO pairing_allowed (channel, account, sender_id, approved_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
  return sql.run(text, channel, account, senderId, now).changes > 0;
}

export function forgetSender(sql: Sql, { channel, account, senderId }: AllowedSender): void {
  sql.run(
    "DELETE FROM pairing_allowed WHERE channel = ? AND account = ? AND sender_id = ?",
    channel,
    account,
    senderId,
  );
}
