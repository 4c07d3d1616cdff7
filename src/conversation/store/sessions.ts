// One row a conversation: which transcript is current, where it was last heard from, what it has used.

import type { SessionKey } from "../../base/ids.ts";
import type { Sql, SqlRow } from "../../platform/database.ts";
import type { DeliveryTarget } from "../../ports/message.ts";
import type { Usage } from "../../ports/turn.ts";

/** What clients have set for a session; each is absent until it is set. */
export interface SessionSettings {
  readonly thinkingLevel?: string;
  readonly verboseLevel?: string;
  readonly reasoningLevel?: string;
  readonly responseUsage?: string;
  readonly elevatedLevel?: string;
  readonly execHost?: string;
  readonly execSecurity?: string;
  readonly execAsk?: string;
  readonly execNode?: string;
  /** `provider/model`. */
  readonly model?: string;
  readonly sendPolicy?: "allow" | "deny";
  readonly groupActivation?: "mention" | "always";
}

export interface SessionRow {
  readonly key: SessionKey;
  readonly sessionId: string;
  readonly agentId: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastRoute: DeliveryTarget | undefined;
  readonly chatKind: "direct" | "group";
  readonly provider: string | undefined;
  readonly model: string | undefined;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  /** Tokens of the last model call: what the next one starts from. */
  readonly contextTokens: number;
  readonly turns: number;
  readonly isLastAborted: boolean;
  readonly label: string | undefined;
  /** Title of the group, or name of the person. */
  readonly title: string | undefined;
  readonly spawnedBy: string | undefined;
  readonly settings: SessionSettings;
}

export function toSession(row: SqlRow): SessionRow {
  const text = (value: SqlRow[string] | undefined) =>
    value === null || value === undefined ? undefined : String(value);
  const channel = text(row["channel"]);
  const chatId = text(row["chat_id"]);
  const threadId = text(row["thread_id"]);
  return {
    // parsed before it was stored
    key: row["key"] as SessionKey,
    sessionId: String(row["session_id"]),
    agentId: String(row["agent_id"]),
    createdAt: Number(row["created_at"]),
    updatedAt: Number(row["updated_at"]),
    lastRoute:
      channel && chatId
        ? { channel, account: text(row["account"]) ?? "default", chatId, ...(threadId ? { threadId } : {}) }
        : undefined,
    chatKind: row["chat_kind"] === "group" ? "group" : "direct",
    provider: text(row["provider"]),
    model: text(row["model"]),
    inputTokens: Number(row["input_tokens"]),
    outputTokens: Number(row["output_tokens"]),
    totalTokens: Number(row["total_tokens"]),
    contextTokens: Number(row["context_tokens"]),
    turns: Number(row["turns"]),
    isLastAborted: row["is_last_aborted"] === 1,
    label: text(row["label"]),
    title: text(row["title"]),
    spawnedBy: text(row["spawned_by"]),
    // written by saveSettings
    settings: JSON.parse(String(row["settings"])) as SessionSettings,
  };
}

export function findSession(sql: Sql, key: string): SessionRow | undefined {
  const row = sql.get("SELECT * FROM sessions WHERE key = ?", key);
  return row && toSession(row);
}

export function findSessionById(sql: Sql, sessionId: string): SessionRow | undefined {
  const row = sql.get("SELECT * FROM sessions WHERE session_id = ?", sessionId);
  return row && toSession(row);
}

export interface SessionTouch {
  readonly key: SessionKey;
  /** Used when the session is new. */
  readonly sessionId: string;
  readonly agentId: string;
  readonly now: number;
  readonly route?: DeliveryTarget;
  readonly chatKind?: "direct" | "group";
  readonly title?: string;
}

/** Finds or creates the session and notes where it was heard from; `updatedAt` never goes backwards. */
export function touchSession(sql: Sql, touch: SessionTouch): SessionRow {
  sql.run(
    `INSERT INTO sessions (key, session_id, agent_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET updated_at = max(updated_at, excluded.updated_at)`,
    touch.key,
    touch.sessionId,
    touch.agentId,
    touch.now,
    touch.now,
  );
  if (touch.route) {
    sql.run(
      `UPDATE sessions SET channel = ?, account = ?, chat_id = ?, thread_id = ?, chat_kind = ?, title = coalesce(?, title)
         WHERE key = ?`,
      touch.route.channel,
      touch.route.account,
      touch.route.chatId,
      touch.route.threadId ?? null,
      touch.chatKind ?? "direct",
      touch.title ?? null,
      touch.key,
    );
  }
  const row = sql.get("SELECT * FROM sessions WHERE key = ?", touch.key);
  // inserted or updated just above in the same transaction
  return toSession(row as SqlRow);
}

export interface SessionUse {
  readonly provider: string;
  readonly model: string;
  readonly usage: Usage;
}

/** Adds what one model call used. */
export function recordUse(sql: Sql, key: SessionKey, use: SessionUse): void {
  sql.run(
    `UPDATE sessions SET provider = ?, model = ?, input_tokens = input_tokens + ?, output_tokens = output_tokens + ?,
       total_tokens = total_tokens + ?, context_tokens = ? WHERE key = ?`,
    use.provider,
    use.model,
    use.usage.input,
    use.usage.output,
    use.usage.totalTokens,
    use.usage.totalTokens,
    key,
  );
}

/** Counts a turn that was answered. */
export function countTurn(sql: Sql, key: SessionKey): void {
  sql.run("UPDATE sessions SET turns = turns + 1, is_last_aborted = 0 WHERE key = ?", key);
}

export function markAborted(sql: Sql, key: SessionKey): void {
  sql.run("UPDATE sessions SET is_last_aborted = 1 WHERE key = ?", key);
}

export function findSessionByLabel(sql: Sql, label: string): SessionRow | undefined {
  const row = sql.get("SELECT * FROM sessions WHERE label = ?", label);
  return row && toSession(row);
}

export interface SessionChange {
  readonly label: string | undefined;
  readonly spawnedBy: string | undefined;
  readonly settings: SessionSettings;
}

/** Replaces what clients have set. The label must be free: see `findSessionByLabel`. */
export function saveSettings(sql: Sql, key: SessionKey, change: SessionChange): void {
  sql.run(
    "UPDATE sessions SET label = ?, spawned_by = ?, settings = ? WHERE key = ?",
    change.label ?? null,
    change.spawnedBy ?? null,
    JSON.stringify(change.settings),
    key,
  );
}

/** Another transcript, nothing used; what clients have set stays. */
export function restartSession(sql: Sql, key: SessionKey, sessionId: string, now: number): void {
  sql.run(
    `UPDATE sessions SET session_id = ?, first_entry = 0, created_at = ?, updated_at = max(updated_at, ?), input_tokens = 0,
       output_tokens = 0, total_tokens = 0, context_tokens = 0, turns = 0, is_last_aborted = 0 WHERE key = ?`,
    sessionId,
    now,
    now,
    key,
  );
}

/** Entries below `entryId` are no longer part of the session. */
export function cutSession(sql: Sql, key: SessionKey, entryId: number): void {
  sql.run("UPDATE sessions SET first_entry = ? WHERE key = ?", entryId, key);
}

export function deleteSession(sql: Sql, key: SessionKey): void {
  sql.run("DELETE FROM sessions WHERE key = ?", key);
}

/** The newest sessions of an agent and how many there are. */
export function listSessions(sql: Sql, agentId: string, limit: number): { count: number; recent: SessionRow[] } {
  const count = sql.get("SELECT count(*) AS n FROM sessions WHERE agent_id = ?", agentId);
  const rows = sql.all("SELECT * FROM sessions WHERE agent_id = ? ORDER BY updated_at DESC LIMIT ?", agentId, limit);
  return { count: Number(count?.["n"] ?? 0), recent: rows.map(toSession) };
}
