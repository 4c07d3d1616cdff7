// The table of restarts that somebody asked for and is to be told of.

import type { SessionTable } from "../../conversation/retention/session-tables.ts";
import type { Migration } from "../../platform/database.ts";

export const restartMigrations: readonly Migration[] = [
  {
    id: "restarts-1",
    sql: `
      CREATE TABLE restart_intents (
        id INTEGER PRIMARY KEY,
        effect_key TEXT NOT NULL UNIQUE,
        session_key TEXT NOT NULL,
        run_id TEXT,
        due_at INTEGER NOT NULL,
        payload TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        told_at INTEGER
      ) STRICT;
      CREATE INDEX restart_intents_open ON restart_intents (id) WHERE told_at IS NULL;
    `,
  },
];

/** Where a restart is still to be told of. What was told keeps no words of the session. */
export const restartTable: SessionTable = {
  waiting: (sql) =>
    sql.all("SELECT session_key FROM restart_intents WHERE told_at IS NULL").map((row) => String(row["session_key"])),
  forget: (sql, key) => void sql.run("DELETE FROM restart_intents WHERE session_key = ? AND told_at IS NOT NULL", key),
};
