// Rows of work that is done, which nobody needs after a while. A few of each table at a time, so that a statement stays far below 5 ms.

import type { Sql } from "../../platform/database.ts";

const tables = [
  {
    select:
      "SELECT id AS row, octet_length(message) AS bytes FROM inbox WHERE received_at < ? AND NOT EXISTS (SELECT 1 FROM turns WHERE turns.inbox_id = inbox.id AND turns.ended_at IS NULL) ORDER BY received_at LIMIT ?",
    remove: "DELETE FROM inbox WHERE id = ?",
  },
  {
    select:
      "SELECT rowid AS row, octet_length(outcome) AS bytes FROM turns WHERE ended_at < ? ORDER BY ended_at LIMIT ?",
    remove: "DELETE FROM turns WHERE rowid = ?",
  },
  {
    select:
      "SELECT id AS row, octet_length(payload) AS bytes FROM outbox WHERE finished_at < ? ORDER BY finished_at LIMIT ?",
    remove: "DELETE FROM outbox WHERE id = ?",
  },
  {
    select: "SELECT id AS row, octet_length(text) AS bytes FROM system_events WHERE at < ? ORDER BY at LIMIT ?",
    remove: "DELETE FROM system_events WHERE id = ?",
  },
  {
    select:
      "SELECT rowid AS row, octet_length(response) AS bytes FROM idempotency WHERE created_at < ? ORDER BY created_at LIMIT ?",
    remove: "DELETE FROM idempotency WHERE rowid = ?",
  },
] as const;

const maxRows = 50;
/** What a row takes beside its largest column. */
const rowBytes = 300;

/** One step at what was done before `time`. @returns how many rows went, and about how many bytes. */
export function forgetFinished(sql: Sql, time: number): { rows: number; bytes: number } {
  let [count, bytes] = [0, 0];
  for (const { select, remove } of tables) {
    for (const { row = null, bytes: size } of sql.all(select, time, maxRows)) {
      sql.run(remove, row);
      count += 1;
      bytes += rowBytes + Number(size ?? 0);
    }
  }
  return { rows: count, bytes };
}
