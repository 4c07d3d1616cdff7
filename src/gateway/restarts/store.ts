// Restarts that were asked for. A row that is there when the Gateway starts has had its restart, however the process came to its end:
// what is left of it is to tell. So none is done twice, and none goes round in circles.

import type { RunId, SessionKey } from "../../base/ids.ts";
import type { Sql, SqlRow } from "../../platform/database.ts";
import type { Sentinel } from "./sentinel.ts";

export interface Intent {
  readonly effectKey: string;
  readonly sessionKey: SessionKey;
  /** Its reply comes first. */
  readonly runId: RunId | undefined;
  /** Not before, ms since the epoch. */
  readonly dueAt: number;
  readonly payload: Sentinel;
}

function toIntent(row: SqlRow): Intent {
  return {
    effectKey: String(row["effect_key"]),
    // parsed before they were stored; the payload was written by insertIntent
    sessionKey: row["session_key"] as SessionKey,
    runId: (row["run_id"] ?? undefined) as RunId | undefined,
    dueAt: Number(row["due_at"]),
    payload: JSON.parse(String(row["payload"])) as Sentinel,
  };
}

/** The one with this effect, or another that the same run asked for and nobody was told of yet. */
export function findIntent(sql: Sql, effectKey: string, runId: RunId | undefined): Intent | undefined {
  const row = sql.get(
    "SELECT * FROM restart_intents WHERE effect_key = ? OR (run_id = ? AND told_at IS NULL) ORDER BY id LIMIT 1",
    effectKey,
    runId ?? null,
  );
  return row && toIntent(row);
}

/** @returns false when this effect is known. */
export function insertIntent(sql: Sql, { effectKey, sessionKey, runId, dueAt, payload }: Intent, now: number): boolean {
  const { changes } = sql.run(
    `INSERT INTO restart_intents (effect_key, session_key, run_id, due_at, payload, created_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (effect_key) DO NOTHING`,
    effectKey,
    sessionKey,
    runId ?? null,
    dueAt,
    JSON.stringify(payload),
    now,
  );
  return changes === 1;
}

/** Oldest first. */
export function untoldIntents(sql: Sql): Intent[] {
  return sql.all("SELECT * FROM restart_intents WHERE told_at IS NULL ORDER BY id").map(toIntent);
}

/** @returns false when it was told before. */
export function markTold(sql: Sql, effectKey: string, now: number): boolean {
  const { changes } = sql.run(
    "UPDATE restart_intents SET told_at = ? WHERE effect_key = ? AND told_at IS NULL",
    now,
    effectKey,
  );
  return changes === 1;
}

export function forgetTold(sql: Sql, before: number): void {
  sql.run("DELETE FROM restart_intents WHERE told_at < ?", before);
}
