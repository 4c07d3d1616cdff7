// Forgets what nobody needs any more, a little at a time: old inbox rows, ended turns, delivered messages, kept answers.
// Transcripts and sessions stay, but for what was archived a month ago.

import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { Database, Sql } from "../platform/database.ts";
import { dayOf } from "./sessions/usage.ts";
import { forgetArchived } from "./store/archives.ts";
import { forgetUse } from "./store/model-use.ts";

const dayMs = 24 * 60 * 60 * 1000;
/** Telegram redelivers for 24 h at most; idempotency answers are promised for 24 h. */
const keepMs = 7 * dayMs;
const keepArchivesMs = 30 * dayMs;
const keepUseMs = 800 * dayMs;
const everyMs = 10 * 60 * 1000;
const firstMs = 60 * 1000;
/** Rows of each table a run, so that a statement stays far below 5 ms. */
const batch = 500;

const oldRows = [
  "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE received_at < ? AND NOT EXISTS (SELECT 1 FROM turns WHERE turns.inbox_id = inbox.id AND turns.ended_at IS NULL) ORDER BY received_at LIMIT ?)",
  "DELETE FROM turns WHERE run_id IN (SELECT run_id FROM turns WHERE ended_at < ? ORDER BY ended_at LIMIT ?)",
  "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE finished_at < ? ORDER BY finished_at LIMIT ?)",
  "DELETE FROM system_events WHERE id IN (SELECT id FROM system_events WHERE at < ? ORDER BY at LIMIT ?)",
  "DELETE FROM idempotency WHERE rowid IN (SELECT rowid FROM idempotency WHERE created_at < ? ORDER BY created_at LIMIT ?)",
];

/** @returns how many rows went. */
export function forgetOldRows(sql: Sql, now: number): number {
  const others = forgetArchived(sql, now - keepArchivesMs, batch) + forgetUse(sql, dayOf(now - keepUseMs));
  return oldRows.reduce((sum, text) => sum + sql.run(text, now - keepMs, batch).changes, others);
}

export function createRetention(dependencies: { database: Database; clock: Clock; log: Log }): Service {
  const { database, clock, log } = dependencies;
  let timer: Timer | undefined;

  const run = async () => {
    try {
      const removed = await database.write((sql) => forgetOldRows(sql, clock.now()));
      if (removed > 0) log.debug("old rows removed", { removed });
      timer = clock.after(removed >= batch ? 1_000 : everyMs, () => void run());
    } catch (error) {
      log.warn("cannot remove old rows", { error });
      timer = clock.after(everyMs, () => void run());
    }
  };

  return {
    name: "retention",
    async start() {
      timer = clock.after(firstMs, () => void run());
    },
    async stop() {
      timer?.cancel();
    },
  };
}
