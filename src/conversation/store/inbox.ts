// Everything that ever came in. The unique key (channel, account, event id) is what makes an event happen once.

import type { RunId, SessionKey } from "../../base/ids.ts";
import type { Sql } from "../../platform/database.ts";
import type { Inbound } from "../../ports/message.ts";

export interface InboxEntry {
  readonly id: number;
  readonly verdict: "accepted" | "pairing" | "dropped";
  readonly runId: RunId | undefined;
  readonly sessionKey: SessionKey | undefined;
  readonly bodyHash: string;
}

export interface NewInboxEntry {
  readonly inbound: Inbound;
  readonly receivedAt: number;
  readonly verdict: InboxEntry["verdict"];
  readonly reason?: string;
  readonly sessionKey?: SessionKey;
  readonly runId?: RunId;
  readonly bodyHash: string;
}

/** The entry of this event, if it has been here before. */
export function findEvent(sql: Sql, inbound: Inbound): InboxEntry | undefined {
  const row = sql.get(
    "SELECT id, verdict, run_id, session_key, body_hash FROM inbox WHERE channel = ? AND account = ? AND event_id = ?",
    inbound.channel,
    inbound.account,
    inbound.eventId,
  );
  if (!row) return undefined;
  return {
    id: Number(row["id"]),
    // the column's CHECK, and ids that were parsed before they were stored
    verdict: row["verdict"] as InboxEntry["verdict"],
    runId: (row["run_id"] ?? undefined) as RunId | undefined,
    sessionKey: (row["session_key"] ?? undefined) as SessionKey | undefined,
    bodyHash: String(row["body_hash"]),
  };
}

/** @returns the row's id; ids rise in order of arrival. */
export function insertEvent(sql: Sql, entry: NewInboxEntry): number {
  const { inbound } = entry;
  return sql.run(
    `INSERT INTO inbox (channel, account, event_id, received_at, verdict, reason, session_key, run_id, body_hash, message)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    inbound.channel,
    inbound.account,
    inbound.eventId,
    entry.receivedAt,
    entry.verdict,
    entry.reason ?? null,
    entry.sessionKey ?? null,
    entry.runId ?? null,
    entry.bodyHash,
    JSON.stringify(inbound),
  ).lastId;
}

/** @returns the stored message of an entry. */
export function readMessage(sql: Sql, inboxId: number): Inbound {
  const row = sql.get("SELECT message FROM inbox WHERE id = ?", inboxId);
  // written by insertEvent from an Inbound
  return JSON.parse(String(row?.["message"])) as Inbound;
}

/** How many events were dropped, by reason, since `sinceMs`. */
export function countDropped(sql: Sql, sinceMs: number): Record<string, number> {
  const rows = sql.all(
    "SELECT reason, count(*) AS n FROM inbox WHERE verdict = 'dropped' AND received_at >= ? GROUP BY reason",
    sinceMs,
  );
  return Object.fromEntries(rows.map((row) => [String(row["reason"]), Number(row["n"])]));
}
