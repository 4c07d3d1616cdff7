// The tables of paired devices: who was approved, with which tokens, and who waits.

import type { Migration } from "../../platform/database.ts";

export const deviceMigrations: readonly Migration[] = [
  {
    id: "devices-1",
    sql: `
      CREATE TABLE devices (
        device_id TEXT PRIMARY KEY,
        public_key TEXT NOT NULL,
        details TEXT NOT NULL,
        roles TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        approved_at INTEGER NOT NULL,
        last_seen_at INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE device_tokens (
        device_id TEXT NOT NULL,
        role TEXT NOT NULL,
        token_hash TEXT NOT NULL,
        salt TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        rotated_at INTEGER,
        revoked_at INTEGER,
        last_used_at INTEGER,
        PRIMARY KEY (device_id, role)
      ) STRICT;

      CREATE TABLE device_requests (
        request_id TEXT PRIMARY KEY,
        device_id TEXT NOT NULL UNIQUE,
        public_key TEXT NOT NULL,
        details TEXT NOT NULL,
        role TEXT NOT NULL,
        scopes TEXT NOT NULL,
        reason TEXT NOT NULL CHECK (reason IN ('not-paired', 'role-upgrade', 'scope-upgrade')),
        created_at INTEGER NOT NULL
      ) STRICT;
    `,
  },
];
