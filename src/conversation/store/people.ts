// Who and what a conversation is about, for whoever has to keep it out of something.

import type { Sql } from "../../platform/database.ts";

export interface People {
  /** Names and ids of people and chats, and what their owner calls them. */
  readonly names: readonly string[];
  /** What was written, newest first. */
  readonly messages: readonly string[];
}

/** `what`: a name or a text, once a row. A database of an older program may lack some of it. */
const names: readonly string[] = [
  "SELECT DISTINCT sender_name AS what FROM pairing_allowed",
  "SELECT DISTINCT sender_id AS what FROM pairing_allowed",
  "SELECT DISTINCT sender_name AS what FROM pairing_requests",
  "SELECT DISTINCT sender_id AS what FROM pairing_requests",
  "SELECT code AS what FROM pairing_requests",
  "SELECT label AS what FROM sessions ORDER BY updated_at DESC LIMIT ?1",
  "SELECT title AS what FROM sessions ORDER BY updated_at DESC LIMIT ?1",
  "SELECT chat_id AS what FROM sessions ORDER BY updated_at DESC LIMIT ?1",
  ...["sender.name", "sender.username", "sender.id", "chat.title", "chat.id"].map(
    (path) => `SELECT json_extract(message, '$.${path}') AS what FROM inbox ORDER BY id DESC LIMIT ?1`,
  ),
];

const messages: readonly string[] = [
  "SELECT json_extract(message, '$.text') AS what FROM inbox ORDER BY id DESC LIMIT ?1",
  "SELECT preview AS what FROM transcript ORDER BY id DESC LIMIT ?1",
  "SELECT json_extract(payload, '$.text') AS what FROM outbox ORDER BY id DESC LIMIT ?1",
  "SELECT text AS what FROM system_events ORDER BY id DESC LIMIT ?1",
];

/** `limit`: rows of each kind. Never throws: what cannot be read is left out, and `failed` counts it. */
export function listPeople(sql: Sql, limit: number): People & { readonly failed: number } {
  let failed = 0;
  const ask = (query: string): string[] => {
    try {
      const rows = query.includes("?1") ? sql.all(query, limit) : sql.all(query);
      return rows.flatMap(({ what }) => (typeof what === "string" && what.trim() !== "" ? [what] : []));
    } catch {
      failed += 1;
      return [];
    }
  };
  const found = { names: [...new Set(names.flatMap(ask))], messages: messages.flatMap(ask) };
  return { ...found, failed };
}
