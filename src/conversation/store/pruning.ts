// What of a session is in which table: to measure it, and to remove it with all that was said in it. Rows that keep an event, a run or
// a send from happening twice stay without their words until their time is over.

import type { SessionKey } from "../../base/ids.ts";
import type { Sql, SqlRow } from "../../platform/database.ts";
import { insertArchive } from "./archives.ts";
import { conversationOf } from "./outbox.ts";
import { deleteSession, findSession, type SessionRow } from "./sessions.ts";

export interface StoredSession {
  readonly key: SessionKey;
  readonly sessionId: string;
  readonly agentId: string;
  readonly updatedAt: number;
  /** Where its replies go; undefined: to clients alone. */
  readonly conversation: string | undefined;
}

/** Behind `after` in the order of their last use; at most 500. */
export function listStored(sql: Sql, after: Pick<StoredSession, "key" | "updatedAt"> | undefined): StoredSession[] {
  return sql
    .all(
      `SELECT key, session_id, agent_id, updated_at, channel, account, chat_id, thread_id FROM sessions
         WHERE (updated_at, key) > (?, ?) ORDER BY updated_at, key LIMIT 500`,
      after?.updatedAt ?? -1,
      after?.key ?? "",
    )
    .map((row) => ({
      // parsed before it was stored
      key: row["key"] as SessionKey,
      sessionId: String(row["session_id"]),
      agentId: String(row["agent_id"]),
      updatedAt: Number(row["updated_at"]),
      conversation: toConversation(row),
    }));
}

function toConversation({ channel, account, chat_id: chatId, thread_id: threadId }: SqlRow): string | undefined {
  if (!channel || !chatId) return undefined;
  const target = { channel: String(channel), account: String(account ?? "default"), chatId: String(chatId) };
  return conversationOf(threadId ? { ...target, threadId: String(threadId) } : target);
}

export interface OpenWork {
  readonly sessions: ReadonlySet<string>;
  readonly conversations: ReadonlySet<string>;
}

/** Turns that have not ended, replies that are not sent, notes for a next turn. */
export function findOpenWork(sql: Sql): OpenWork {
  const sessions = sql.all(
    `SELECT session_key FROM turns WHERE state IN ('queued', 'running')
     UNION SELECT session_key FROM system_events WHERE run_id IS NULL
     UNION SELECT t.session_key FROM outbox o JOIN turns t ON t.run_id = o.run_id WHERE o.state IN ('pending', 'sending')`,
  );
  const conversations = sql.all("SELECT DISTINCT conversation FROM outbox WHERE state IN ('pending', 'sending')");
  return {
    sessions: new Set(sessions.map((row) => String(row["session_key"]))),
    conversations: new Set(conversations.map((row) => String(row["conversation"]))),
  };
}

/** The same for one session. */
function isBusy(sql: Sql, { key, lastRoute: route }: SessionRow): boolean {
  const found = sql.get(
    `SELECT 1 FROM turns WHERE session_key = ?1 AND state IN ('queued', 'running')
     UNION ALL SELECT 1 FROM system_events WHERE session_key = ?1 AND run_id IS NULL
     UNION ALL SELECT 1 FROM outbox o JOIN turns t ON t.run_id = o.run_id
       WHERE o.state IN ('pending', 'sending') AND t.session_key = ?1
     UNION ALL SELECT 1 FROM outbox WHERE conversation = ?2 AND state IN ('pending', 'sending') LIMIT 1`,
    key,
    route ? conversationOf(route) : "",
  );
  return found !== undefined;
}

export interface Measured {
  readonly messages: number;
  readonly bytes: number;
  /** The last one looked at; undefined: there are no more. */
  readonly lastId: number | undefined;
}

/** Messages of a transcript behind `after` and below `below`, 500 at most; none of them is read whole. */
export function measureMessages(
  sql: Sql,
  sessionId: string,
  { after, below }: { after: number; below: number },
): Measured {
  const row = sql.get(
    `SELECT count(*) AS messages, coalesce(sum(octet_length(message) + octet_length(preview)), 0) AS bytes, max(id) AS last
       FROM (SELECT id, message, preview FROM transcript WHERE session_id = ? AND id > ? AND id < ? ORDER BY id LIMIT 500)`,
    sessionId,
    after,
    below,
  );
  const messages = Number(row?.["messages"] ?? 0);
  return { messages, bytes: Number(row?.["bytes"] ?? 0), lastId: messages === 500 ? Number(row?.["last"]) : undefined };
}

/**
 * The session is gone with this commit: what it still has in tables is an archive that is due, and removed piece by piece.
 * @returns false, having changed nothing, when it was used meanwhile or has work to do.
 */
export function removeStored(sql: Sql, session: StoredSession): boolean {
  const current = findSession(sql, session.key);
  if (!current || current.sessionId !== session.sessionId || current.updatedAt !== session.updatedAt) return false;
  if (isBusy(sql, current)) return false;
  insertArchive(sql, { sessionId: session.sessionId, sessionKey: session.key, reason: "pruned", now: 0 });
  deleteSession(sql, session.key);
  return true;
}
