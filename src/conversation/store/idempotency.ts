// Answers that are kept so that a repeated request has one effect (T10). Scoped to (principal, method).

import type { Sql } from "../../platform/database.ts";

export interface KeyScope {
  readonly principal: string;
  readonly method: string;
  readonly key: string;
}

export interface KeptAnswer {
  readonly bodyHash: string;
  /** Absent while the first request is still under way. */
  readonly response: unknown;
}

export function findAnswer(sql: Sql, scope: KeyScope): KeptAnswer | undefined {
  const row = sql.get(
    "SELECT body_hash, response FROM idempotency WHERE principal = ? AND method = ? AND key = ?",
    scope.principal,
    scope.method,
    scope.key,
  );
  if (!row) return undefined;
  return {
    bodyHash: String(row["body_hash"]),
    response: row["response"] === null ? undefined : JSON.parse(String(row["response"])),
  };
}

export function openAnswer(sql: Sql, scope: KeyScope, bodyHash: string, now: number): void {
  sql.run(
    "INSERT INTO idempotency (principal, method, key, body_hash, created_at) VALUES (?, ?, ?, ?, ?)",
    scope.principal,
    scope.method,
    scope.key,
    bodyHash,
    now,
  );
}

export function keepAnswer(sql: Sql, scope: KeyScope, response: unknown): void {
  sql.run(
    "UPDATE idempotency SET response = ? WHERE principal = ? AND method = ? AND key = ?",
    JSON.stringify(response),
    scope.principal,
    scope.method,
    scope.key,
  );
}
