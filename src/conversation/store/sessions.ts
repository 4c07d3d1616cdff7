// One row a conversation: which transcript is current, where it was last heard from, what it has used.

import type { SessionKey } from "../../base/ids.ts";
import type { Sql, SqlRow } from "../../platform/database.ts";
import type { DeliveryTarget } from "../../ports/message.ts";
import type { Usage } from "../../ports/turn.ts";

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
}

function toSession(row: SqlRow): SessionRow {
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
      "UPDATE sessions SET channel = ?, account = ?, chat_id = ?, thread_id = ?, chat_kind = ? WHERE key = ?",
      touch.route.channel,
      touch.route.account,
      touch.route.chatId,
      touch.route.threadId ?? null,
      touch.chatKind ?? "direct",
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

/** Adds what a turn used. */
export function recordUse(sql: Sql, key: SessionKey, use: SessionUse): void {
  sql.run(
    `UPDATE sessions SET provider = ?, model = ?, input_tokens = input_tokens + ?, output_tokens = output_tokens + ?,
       total_tokens = total_tokens + ?, context_tokens = ?, turns = turns + 1, is_last_aborted = 0 WHERE key = ?`,
    use.provider,
    use.model,
    use.usage.input,
    use.usage.output,
    use.usage.totalTokens,
    use.usage.totalTokens,
    key,
  );
}

export function markAborted(sql: Sql, key: SessionKey): void {
  sql.run("UPDATE sessions SET is_last_aborted = 1 WHERE key = ?", key);
}

/** The newest sessions of an agent and how many there are. */
export function listSessions(sql: Sql, agentId: string, limit: number): { count: number; recent: SessionRow[] } {
  const count = sql.get("SELECT count(*) AS n FROM sessions WHERE agent_id = ?", agentId);
  const rows = sql.all("SELECT * FROM sessions WHERE agent_id = ? ORDER BY updated_at DESC LIMIT ?", agentId, limit);
  return { count: Number(count?.["n"] ?? 0), recent: rows.map(toSession) };
}
