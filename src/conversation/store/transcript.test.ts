import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { assistantMessage } from "../../../test/kit/scripted-turn.ts";
import { parseSessionKey } from "../../base/ids.ts";
import { openDatabase, type Sql } from "../../platform/database.ts";
import type { TranscriptMessage } from "../../ports/turn.ts";
import { openGatewayDatabase } from "../database.ts";
import { conversationMigrations } from "./schema.ts";
import { cutSession, findSession, touchSession } from "./sessions.ts";
import {
  appendMessages,
  countMessages,
  cutBelow,
  firstWords,
  lastWords,
  maxPreview,
  recentMessages,
  recentPreviews,
} from "./transcript.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "transcript-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const key = parseSessionKey("agent:main:main");
const user = (text: string): TranscriptMessage => ({ role: "user", content: [{ type: "text", text }], timestamp: 5 });
const picture: TranscriptMessage = {
  role: "user",
  content: [
    { type: "text", text: "look" },
    { type: "image", mimeType: "image/png", data: "A".repeat(100_000) },
  ],
  timestamp: 6,
};
const call: TranscriptMessage = {
  ...assistantMessage(""),
  content: [{ type: "toolCall", id: "1", name: "session_status", arguments: {} }],
};
const result: TranscriptMessage = {
  role: "toolResult",
  toolCallId: "1",
  toolName: "session_status",
  isError: false,
  content: [{ type: "text", text: "x".repeat(5_000) }],
  timestamp: 7,
};

test("previews are the beginnings of what was said; first and last words are those of people and agent", async () => {
  const database = await openGatewayDatabase(join(folder, "previews.sqlite"), { command: (words) => words });
  await database.write((sql) => {
    touchSession(sql, { key, sessionId: "s", agentId: "main", now: 1 });
    appendMessages(sql, { sessionId: "s" }, [assistantMessage("welcome"), picture, call, result]);
  });
  await database.read((sql) => {
    const previews = recentPreviews(sql, "s", 10);
    assert.deepEqual(
      previews.map(({ role, text }) => [role, text.length > 20 ? text.length : text]),
      [
        ["assistant", "welcome"],
        ["user", "look"],
        ["assistant", "session_status"],
        ["toolResult", maxPreview],
      ],
    );
    assert.equal(firstWords(sql, "s"), "look");
    assert.equal(lastWords(sql, "s"), "session_status");
    assert.equal(firstWords(sql, "none"), undefined);
  });
  await database.close();
});

test("what is cut off is in no list, count or history; a whole transcript is not cut", async () => {
  const database = await openGatewayDatabase(join(folder, "cut.sqlite"), { command: (words) => words });
  await database.write((sql) => {
    touchSession(sql, { key, sessionId: "s", agentId: "main", now: 1 });
    appendMessages(sql, { sessionId: "s" }, ["one", "two", "three"].map(user));
    assert.equal(cutBelow(sql, "s", 3), undefined);
    assert.equal(cutBelow(sql, "s", 4), undefined);
    cutSession(sql, key, cutBelow(sql, "s", 2) ?? 0);
    assert.deepEqual(
      recentPreviews(sql, "s", 9).map(({ text }) => text),
      ["two", "three"],
    );
    assert.equal(recentMessages(sql, "s", 9).length, 2);
    assert.equal(firstWords(sql, "s"), "two");
    assert.deepEqual([countMessages(sql, "s", 9), countMessages(sql, "s", 1)], [2, 1]);
  });
  await database.close();
});

test("readers of a session use its index: none looks at other sessions' messages", async () => {
  const database = await openGatewayDatabase(join(folder, "plans.sqlite"), { command: (words) => words });
  const plans: string[] = [];
  await database.read((sql) => {
    const explain = (text: string, values: Parameters<Sql["all"]>[1][]) => {
      const rows = sql.all(`EXPLAIN QUERY PLAN ${text}`, ...values);
      plans.push(rows.map((row) => String(row["detail"])).join("; "));
    };
    const explaining: Sql = {
      ...sql,
      get: (text, ...values) => void explain(text, values),
      all: (text, ...values) => (explain(text, values), []),
    };
    firstWords(explaining, "s");
    lastWords(explaining, "s");
    recentPreviews(explaining, "s", 5);
    recentMessages(explaining, "s", 5);
    cutBelow(explaining, "s", 5);
    countMessages(explaining, "s", 5);
  });
  assert.equal(plans.length, 6);
  for (const plan of plans) {
    assert.match(plan, /SEARCH transcript USING (?:COVERING )?INDEX transcript_session/u);
    assert.doesNotMatch(plan, /SCAN transcript|SCAN sessions/u);
  }
  await database.close();
});

test("a database of the first release keeps its messages and what they used", async () => {
  const path = join(folder, "old.sqlite");
  const old = openDatabase(path, conversationMigrations.slice(0, 1));
  await old.write((sql) => {
    sql.run(
      "INSERT INTO sessions (key, session_id, agent_id, created_at, updated_at) VALUES (?, 's', 'main', 1, 2)",
      key,
    );
    for (const message of [picture, assistantMessage("fine"), assistantMessage("more")]) {
      sql.run("INSERT INTO transcript (session_id, at, message) VALUES ('s', 5, ?)", JSON.stringify(message));
    }
  });
  await old.close();
  const database = await openGatewayDatabase(path, { command: (words) => words, isAlone: true });
  await database.read((sql) => {
    assert.deepEqual(recentMessages(sql, "s", 9), [picture, assistantMessage("fine"), assistantMessage("more")]);
    assert.deepEqual(recentPreviews(sql, "s", 2), [
      { role: "assistant", text: "fine" },
      { role: "assistant", text: "more" },
    ]);
    assert.deepEqual(findSession(sql, key)?.settings, {});
    const use = sql.get("SELECT session_key, model, calls, total, unpriced FROM model_use");
    assert.deepEqual({ ...use }, { session_key: key, model: "test", calls: 2, total: 4, unpriced: 2 });
  });
  await database.close();
});
