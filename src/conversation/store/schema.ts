// The tables of the conversation room. One row of `inbox` for everything that ever came in, whatever became of it; one of
// `turns` for every piece of work; one of `outbox` for every message on its way out (R1).

import type { Migration } from "../../platform/database.ts";

export const conversationMigrations: readonly Migration[] = [
  {
    id: "conversation-1",
    sql: `
      CREATE TABLE inbox (
        id INTEGER PRIMARY KEY,
        channel TEXT NOT NULL,
        account TEXT NOT NULL,
        event_id TEXT NOT NULL,
        received_at INTEGER NOT NULL,
        verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'pairing', 'dropped')),
        reason TEXT,
        session_key TEXT,
        run_id TEXT,
        body_hash TEXT NOT NULL,
        message TEXT NOT NULL,
        UNIQUE (channel, account, event_id)
      ) STRICT;
      CREATE INDEX inbox_age ON inbox (received_at);

      CREATE TABLE turns (
        run_id TEXT PRIMARY KEY,
        inbox_id INTEGER NOT NULL,
        session_key TEXT NOT NULL,
        session_id TEXT,
        attempt INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'ok', 'error', 'aborted')),
        accepted_at INTEGER NOT NULL,
        started_at INTEGER,
        ended_at INTEGER,
        outcome TEXT
      ) STRICT;
      CREATE INDEX turns_open ON turns (session_key, inbox_id) WHERE state IN ('queued', 'running');
      CREATE INDEX turns_ended ON turns (ended_at);

      CREATE TABLE sessions (
        key TEXT PRIMARY KEY,
        session_id TEXT NOT NULL UNIQUE,
        agent_id TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        channel TEXT,
        account TEXT,
        chat_id TEXT,
        thread_id TEXT,
        chat_kind TEXT,
        provider TEXT,
        model TEXT,
        input_tokens INTEGER NOT NULL DEFAULT 0,
        output_tokens INTEGER NOT NULL DEFAULT 0,
        total_tokens INTEGER NOT NULL DEFAULT 0,
        context_tokens INTEGER NOT NULL DEFAULT 0,
        turns INTEGER NOT NULL DEFAULT 0,
        is_last_aborted INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      CREATE INDEX sessions_recent ON sessions (agent_id, updated_at);

      CREATE TABLE transcript (
        id INTEGER PRIMARY KEY,
        session_id TEXT NOT NULL,
        run_id TEXT,
        step INTEGER,
        at INTEGER NOT NULL,
        message TEXT NOT NULL,
        UNIQUE (run_id, step)
      ) STRICT;
      CREATE INDEX transcript_session ON transcript (session_id, id);

      CREATE TABLE outbox (
        id INTEGER PRIMARY KEY,
        effect_key TEXT NOT NULL UNIQUE,
        run_id TEXT,
        source TEXT NOT NULL,
        channel TEXT NOT NULL,
        account TEXT NOT NULL,
        chat_id TEXT NOT NULL,
        thread_id TEXT,
        conversation TEXT NOT NULL,
        payload TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'unknown', 'failed')),
        attempts INTEGER NOT NULL DEFAULT 0,
        is_flagged INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        finished_at INTEGER,
        message_id TEXT,
        reason TEXT
      ) STRICT;
      CREATE INDEX outbox_open ON outbox (conversation, id) WHERE state IN ('pending', 'sending');
      CREATE INDEX outbox_run ON outbox (run_id);
      CREATE INDEX outbox_finished ON outbox (finished_at);

      CREATE TABLE idempotency (
        principal TEXT NOT NULL,
        method TEXT NOT NULL,
        key TEXT NOT NULL,
        body_hash TEXT NOT NULL,
        response TEXT,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (principal, method, key)
      ) STRICT;
      CREATE INDEX idempotency_age ON idempotency (created_at);

      CREATE TABLE pairing_requests (
        channel TEXT NOT NULL,
        account TEXT NOT NULL,
        sender_id TEXT NOT NULL,
        sender_name TEXT,
        chat_id TEXT NOT NULL,
        code TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        last_seen_at INTEGER NOT NULL,
        PRIMARY KEY (channel, account, sender_id),
        UNIQUE (channel, code)
      ) STRICT;

      CREATE TABLE pairing_allowed (
        channel TEXT NOT NULL,
        account TEXT NOT NULL,
        sender_id TEXT NOT NULL,
        sender_name TEXT,
        approved_at INTEGER NOT NULL,
        PRIMARY KEY (channel, account, sender_id)
      ) STRICT;
    `,
  },
];
