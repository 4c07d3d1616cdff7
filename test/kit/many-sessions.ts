// Sessions as their use leaves them, put into the tables: with messages, runs, events and sends.

import { systemIds, type RunId, type SessionKey } from "../../src/base/ids.ts";
import { insertEvent } from "../../src/conversation/store/inbox.ts";
import { insertOutbox, markSent } from "../../src/conversation/store/outbox.ts";
import { touchSession } from "../../src/conversation/store/sessions.ts";
import { appendMessages } from "../../src/conversation/store/transcript.ts";
import { bindSession, claimTurn, finishTurn, insertTurn } from "../../src/conversation/store/turns.ts";
import type { Sql } from "../../src/platform/database.ts";
import type { TranscriptMessage } from "../../src/ports/turn.ts";

export interface PlantedSession {
  readonly key: string;
  readonly agentId?: string;
  /** When it was used last. */
  readonly at: number;
  readonly messages: number;
  /** Characters of each message, the first words included. */
  readonly size?: number;
  /** In everything that is said. */
  readonly words?: string;
  /** Its chat; absent: clients alone. */
  readonly chatId?: string;
  /** With a turn that came to its end, and its reply; absent: none. */
  readonly hasRun?: boolean;
}

const says = (text: string, timestamp: number): TranscriptMessage => ({
  role: "user",
  content: [{ type: "text", text }],
  timestamp,
});

/** @returns its session id. */
export function plantSession(sql: Sql, planted: PlantedSession): string {
  const { agentId = "main", at, messages, size = 0, words = "said", chatId } = planted;
  // a key of a test
  const key = planted.key as SessionKey;
  const route = chatId === undefined ? {} : { route: { channel: "telegram", account: "default", chatId } };
  const { sessionId } = touchSession(sql, { key, sessionId: systemIds.uuid(), agentId, now: at, ...route });
  const text = `${words} `.padEnd(size, "x");
  appendMessages(
    sql,
    { sessionId },
    Array.from({ length: messages }, () => says(text, at)),
  );
  if (planted.hasRun === true) plantRun(sql, { key, sessionId, at, text });
  return sessionId;
}

function plantRun(
  sql: Sql,
  { key, sessionId, at, text }: { key: SessionKey; sessionId: string; at: number; text: string },
): void {
  // ids of a test
  const runId = systemIds.uuid() as RunId;
  const inbound = {
    channel: "telegram",
    account: "default",
    eventId: runId,
    chat: { kind: "direct", id: "1" },
    sender: { id: "1" },
    text,
    trust: "channel",
  } as const;
  const inboxId = insertEvent(sql, {
    inbound,
    receivedAt: at,
    verdict: "accepted",
    sessionKey: key,
    runId,
    bodyHash: "hash",
  });
  insertTurn(sql, { runId, inboxId, sessionKey: key, acceptedAt: at });
  const turn = claimTurn(sql, key, at);
  bindSession(sql, runId, sessionId);
  finishTurn(sql, { runId, attempt: turn?.attempt ?? 1 }, { state: "ok", at, outcome: { text, durationMs: 1 } });
  const target = { channel: "telegram", account: "default", chatId: `done-${runId}` };
  insertOutbox(sql, { effectKey: `reply:${runId}`, runId, source: "reply", target, payload: { text }, now: at });
  const row = sql.get("SELECT id FROM outbox WHERE run_id = ?", runId);
  markSent(sql, Number(row?.["id"]), "1", at);
}

/** Tables in which the text stands somewhere. */
export function tablesWith(sql: Sql, text: string): string[] {
  const tables = sql.all("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  return tables
    .map(({ name }) => String(name))
    .filter((name) => sql.all(`SELECT * FROM ${name}`).some((row) => Object.values(row).join("\n").includes(text)));
}
