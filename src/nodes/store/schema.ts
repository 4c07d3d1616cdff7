// The tables of the nodes room: who asked to be paired, which nodes are known, which commands people were asked about.

import type { Migration } from "../../platform/database.ts";

export const nodeMigrations: readonly Migration[] = [
  {
    id: "nodes-1",
    sql: `
      CREATE TABLE node_requests (
        node_id TEXT PRIMARY KEY,
        request_id TEXT NOT NULL UNIQUE,
        profile TEXT NOT NULL,
        is_repair INTEGER NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE nodes (
        node_id TEXT PRIMARY KEY,
        profile TEXT NOT NULL,
        name TEXT,
        token_hash TEXT,
        created_at INTEGER NOT NULL,
        approved_at INTEGER,
        last_connected_at INTEGER
      ) STRICT;

      CREATE TABLE exec_approvals (
        id TEXT PRIMARY KEY,
        requester TEXT NOT NULL,
        binding TEXT NOT NULL,
        request TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        decision TEXT CHECK (decision IN ('allow-once', 'allow-always', 'deny')),
        resolved_by TEXT,
        resolved_at INTEGER,
        used_at INTEGER
      ) STRICT;
      CREATE INDEX exec_approvals_age ON exec_approvals (expires_at);
    `,
  },
];
