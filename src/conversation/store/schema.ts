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
  {
    id: "conversation-2",
    minReader: "0.1.0",
    sql: `
      ALTER TABLE sessions ADD COLUMN label TEXT;
      ALTER TABLE sessions ADD COLUMN title TEXT;
      ALTER TABLE sessions ADD COLUMN spawned_by TEXT;
      ALTER TABLE sessions ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
      -- entries of the transcript below this one are archived
      ALTER TABLE sessions ADD COLUMN first_entry INTEGER NOT NULL DEFAULT 0;
      CREATE UNIQUE INDEX sessions_label ON sessions (label) WHERE label IS NOT NULL;
      CREATE INDEX sessions_spawned ON sessions (spawned_by, updated_at, key) WHERE spawned_by IS NOT NULL;
      CREATE INDEX sessions_by_time ON sessions (updated_at, key);
      DROP INDEX sessions_recent;
      CREATE INDEX sessions_recent ON sessions (agent_id, updated_at, key);

      -- what lists show stands before the message: a large one lies on pages of its own, which are then not read
      CREATE TABLE entries (
        id INTEGER PRIMARY KEY,
        session_id TEXT NOT NULL,
        run_id TEXT,
        step INTEGER,
        at INTEGER NOT NULL,
        role TEXT NOT NULL,
        preview TEXT NOT NULL,
        message TEXT NOT NULL,
        UNIQUE (run_id, step)
      ) STRICT;
      INSERT INTO entries (id, session_id, run_id, step, at, role, preview, message)
        SELECT id, session_id, run_id, step, at, json_extract(message, '$.role'),
          substr(coalesce((SELECT group_concat(json_extract(value, '$.text'), ' ')
            FROM json_each(message, '$.content') WHERE json_extract(value, '$.type') = 'text'), ''), 1, 1000), message
        FROM transcript;
      DROP TABLE transcript;
      ALTER TABLE entries RENAME TO transcript;
      CREATE INDEX transcript_session ON transcript (session_id, id);

      -- below_id: absent when the whole transcript is archived
      CREATE TABLE archives (
        id INTEGER PRIMARY KEY,
        session_id TEXT NOT NULL,
        session_key TEXT NOT NULL,
        below_id INTEGER,
        reason TEXT NOT NULL,
        archived_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX archives_age ON archives (archived_at);

      -- cost is a sum over the calls whose price was known
      CREATE TABLE model_use (
        day TEXT NOT NULL,
        session_key TEXT NOT NULL,
        agent_id TEXT NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        calls INTEGER NOT NULL,
        input INTEGER NOT NULL,
        output INTEGER NOT NULL,
        cache_read INTEGER NOT NULL,
        cache_write INTEGER NOT NULL,
        total INTEGER NOT NULL,
        cost REAL NOT NULL,
        unpriced INTEGER NOT NULL,
        PRIMARY KEY (day, session_key, provider, model)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX model_use_session ON model_use (session_key, day);
      INSERT INTO model_use
        SELECT date(t.at / 1000, 'unixepoch', 'localtime'), s.key, s.agent_id, json_extract(t.message, '$.provider'),
          json_extract(t.message, '$.model'), count(*), sum(json_extract(t.message, '$.usage.input')),
          sum(json_extract(t.message, '$.usage.output')), sum(json_extract(t.message, '$.usage.cacheRead')),
          sum(json_extract(t.message, '$.usage.cacheWrite')), sum(json_extract(t.message, '$.usage.totalTokens')), 0.0, count(*)
        FROM transcript t JOIN sessions s ON s.session_id = t.session_id
        WHERE t.role = 'assistant' AND json_extract(t.message, '$.provider') <> 'gateway' GROUP BY 1, 2, 3, 4, 5;
    `,
  },
  {
    id: "conversation-3",
    sql: `
      CREATE TABLE system_events (
        id INTEGER PRIMARY KEY,
        session_key TEXT NOT NULL,
        text TEXT NOT NULL,
        at INTEGER NOT NULL,
        run_id TEXT
      ) STRICT;
      CREATE INDEX system_events_waiting ON system_events (session_key, id) WHERE run_id IS NULL;
      CREATE INDEX system_events_run ON system_events (run_id) WHERE run_id IS NOT NULL;
      CREATE INDEX system_events_age ON system_events (at);
    `,
  },
  {
    // the traceparent of what wrote the row: a send after a restart belongs to the same trace
    id: "conversation-4",
    sql: `
      ALTER TABLE outbox ADD COLUMN trace TEXT;
    `,
  },
  {
    // what a session said is found through its runs when it goes
    id: "conversation-5",
    sql: `
      CREATE INDEX turns_session ON turns (session_id) WHERE session_id IS NOT NULL;
    `,
  },
];
