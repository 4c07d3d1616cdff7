// The table of restarts that somebody asked for and is to be told of.

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
