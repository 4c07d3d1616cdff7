// Responses that clients may go on from (`previous_response_id`) or fetch again, kept for a month as OpenAI's are.

import type { SessionKey } from "../base/ids.ts";
import type { SessionTable } from "../conversation/retention/session-tables.ts";
import type { Migration, Sql } from "../platform/database.ts";
import type { TranscriptMessage } from "../ports/transcript.ts";

export const responseMigrations: readonly Migration[] = [
  {
    id: "openai-api-1",
    sql: `
      CREATE TABLE responses (
        id TEXT PRIMARY KEY,
        session_key TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        conversation TEXT NOT NULL,
        resource TEXT NOT NULL
      ) STRICT;
      CREATE INDEX responses_age ON responses (created_at);
    `,
  },
  { id: "openai-api-2", sql: "CREATE INDEX responses_session ON responses (session_key)" },
];

/** Responses go with their sessions. */
export const responseTable: SessionTable = {
  forget: (sql, key) => void sql.run("DELETE FROM responses WHERE session_key = ?", key),
};

export interface StoredResponse {
  readonly id: string;
  readonly sessionKey: SessionKey;
  /** ms since the epoch */
  readonly createdAt: number;
  /** Everything up to the response's own words. */
  readonly conversation: readonly TranscriptMessage[];
  /** As the client got it. */
  readonly resource: Readonly<Record<string, unknown>>;
}

const keptMs = 30 * 24 * 3_600_000;
/** Old rows that go with each new one: more than one, so that they become fewer. */
const sweptAtOnce = 50;

export function insertResponse(sql: Sql, response: StoredResponse): void {
  sql.run(
    "DELETE FROM responses WHERE id IN (SELECT id FROM responses WHERE created_at < ? ORDER BY created_at LIMIT ?)",
    response.createdAt - keptMs,
    sweptAtOnce,
  );
  // the same key of idempotency gives the same response again
  sql.run(
    "INSERT OR REPLACE INTO responses (id, session_key, created_at, conversation, resource) VALUES (?, ?, ?, ?, ?)",
    response.id,
    response.sessionKey,
    response.createdAt,
    JSON.stringify(response.conversation),
    JSON.stringify(response.resource),
  );
}

export function findResponse(sql: Sql, id: string): StoredResponse | undefined {
  const row = sql.get("SELECT * FROM responses WHERE id = ?", id);
  if (!row) return undefined;
  return {
    id,
    // written by insertResponse, as they are typed here
    sessionKey: String(row["session_key"]) as SessionKey,
    createdAt: Number(row["created_at"]),
    conversation: JSON.parse(String(row["conversation"])) as TranscriptMessage[],
    resource: JSON.parse(String(row["resource"])) as Record<string, unknown>,
  };
}

/** @returns false when there is none. */
export function deleteResponse(sql: Sql, id: string): boolean {
  return sql.run("DELETE FROM responses WHERE id = ?", id).changes > 0;
}
