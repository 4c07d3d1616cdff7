// What older programs kept in files: found, brought in, and taken out again. With no Gateway, and beside one.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";

import { createDoctorHome, type DoctorHome } from "../kit/doctor-home.ts";
import { createGatewayProcess } from "../kit/gateway-process.ts";

const made: { dispose(): Promise<void> }[] = [];
let machine: DoctorHome;
beforeEach(async () => {
  machine = await createDoctorHome();
  made.push(machine);
});
after(() => Promise.all(made.map((one) => one.dispose())));

const secret = "sk-planted-key-0123456789abcdefgh";

async function plant({ put }: Pick<DoctorHome, "put">, state: string) {
  const json = (value: unknown) => JSON.stringify(value);
  await put(
    join(state, "credentials", "telegram-allowFrom.json"),
    json({ version: 1, allowFrom: ["11", "telegram:22", 33, "@name", "*"] }),
  );
  await put(
    join(state, "agents", "main", "agent", "auth-profiles.json"),
    json({
      version: 1,
      profiles: {
        "anthropic:default": { type: "api_key", provider: "anthropic", key: secret },
        "openai:login": { type: "oauth", provider: "openai", access: "x", refresh: "y" },
      },
    }),
  );
  const sessions = join(state, "agents", "main", "sessions");
  await put(
    join(sessions, "sessions.json"),
    json({
      "agent:main:main": { sessionId: "aaaa-1", updatedAt: 1_760_000_000_000, lastChannel: "telegram", lastTo: "11" },
      "agent:main:telegram:group:-100": { sessionId: "bbbb-2", updatedAt: 1_760_000_000_001 },
      "agent:main:gone": { sessionId: "cccc-3", updatedAt: 1 },
      "../../etc": { sessionId: "../../../etc/passwd", updatedAt: 1 },
    }),
  );
  const line = (message: object) => json({ type: "message", id: "x", timestamp: "2026-01-02T03:04:05Z", message });
  const usage = { input: 5, output: 6, totalTokens: 11, cost: { total: 1 } };
  await put(
    join(sessions, "aaaa-1.jsonl"),
    [
      json({ type: "session", version: 3, id: "aaaa-1" }),
      line({ role: "user", content: "what is an older word" }),
      line({
        role: "assistant",
        provider: "anthropic",
        model: "m",
        usage,
        stopReason: "toolUse",
        content: [
          { type: "thinking", thinking: "hm" },
          { type: "toolCall", id: "1", name: "read", arguments: {} },
        ],
      }),
      line({ role: "toolResult", toolCallId: "1", toolName: "read", content: [{ type: "text", text: "tool output" }] }),
      line({
        role: "assistant",
        provider: "anthropic",
        model: "m",
        usage,
        content: [{ type: "text", text: "an answer" }],
      }),
      "{ half a line",
      "",
    ].join("\n"),
  );
  await put(
    join(sessions, "bbbb-2.jsonl"),
    `${line({ role: "user", content: [{ type: "text", text: "in the group" }] })}\n`,
  );
  await put(join(state, "devices", "paired.json"), json({ d1: {}, d2: {} }));
}

const rowsOf = (state: string, text: string) => {
  const db = new DatabaseSync(join(state, "gateway.sqlite"), { readOnly: true });
  try {
    return db
      .prepare(text)
      .all()
      .map((row) => Object.values(row));
  } finally {
    db.close();
  }
};
const people = "SELECT sender_id FROM pairing_allowed ORDER BY sender_id";
const conversations = "SELECT key, session_id, updated_at, chat_id FROM sessions ORDER BY key";

test("people, keys and conversations of an older program are found, brought in, and taken out by undo", async () => {
  const { state } = machine;
  await plant(machine, state);
  const before = await machine.picture();
  const found = await machine.doctor(["--only", "older"]);
  assert.deepEqual(
    found.findings.map(({ id }) => id),
    ["older.people", "older.key", "older.login", "older.sessions", "older.devices"],
  );
  assert.match(found.findings[0]?.message ?? "", /^3 people/u);
  assert.match(found.findings[3]?.message ?? "", /^2 conversations/u);
  assert.deepEqual(await machine.picture(), before);

  const fixed = await machine.doctor(["--fix", "--yes", "--only", "older"]);
  assert.deepEqual(
    fixed.fixes.map(({ result }) => result),
    ["applied", "applied", "applied"],
    JSON.stringify(fixed),
  );
  assert.deepEqual(
    fixed.findings.map(({ id }) => id),
    ["older.login", "older.devices"],
  );
  assert.doesNotMatch(JSON.stringify(fixed), /planted/u);
  assert.deepEqual(rowsOf(state, people), [["11"], ["22"], ["33"]]);
  assert.deepEqual(rowsOf(state, conversations), [
    ["agent:main:main", "aaaa-1", 1_760_000_000_000, "11"],
    ["agent:main:telegram:group:-100", "bbbb-2", 1_760_000_000_001, null],
  ]);
  assert.deepEqual(rowsOf(state, "SELECT role, preview, at FROM transcript ORDER BY id"), [
    ["user", "what is an older word", Date.parse("2026-01-02T03:04:05Z")],
    ["assistant", "an answer", Date.parse("2026-01-02T03:04:05Z")],
    ["user", "in the group", Date.parse("2026-01-02T03:04:05Z")],
  ]);
  const key = await machine.cli(["config", "get", "models.providers.anthropic.apiKey"]);
  assert.equal(key.stdout.trim(), secret);

  // something is said in one of them meanwhile
  const db = new DatabaseSync(join(state, "gateway.sqlite"));
  db.exec("INSERT INTO transcript (session_id, at, role, preview, message) VALUES ('bbbb-2', 1, 'user', 'new', '{}')");
  db.close();
  const undone = await machine.cli(["doctor", "undo"]);
  assert.equal(undone.code, 0, undone.stderr);
  assert.match(undone.stdout, /1 conversations are taken out of the database; 1 stay/u);
  assert.deepEqual(rowsOf(state, people), []);
  assert.deepEqual(
    rowsOf(state, conversations).map(([name]) => name),
    ["agent:main:telegram:group:-100"],
  );
  assert.equal((await machine.cli(["config", "get", "models.providers.anthropic.apiKey"])).code, 1);
});

test("a running Gateway knows at once whom and what was brought in", async () => {
  const gateway = await createGatewayProcess();
  made.push(gateway);
  const state = join(gateway.folder, "state");
  await plant(machine, state);
  await gateway.start();
  const fixed = await gateway.cli("doctor", "--fix", "--yes", "--only", "older", "--json");
  assert.equal(fixed.code, 0, fixed.stderr + fixed.stdout);
  const history = await gateway.cli("gateway", "call", "chat.history", "--params", '{"sessionKey":"main"}', "--json");
  assert.match(history.stdout, /what is an older word[\s\S]*an answer/u);
  assert.doesNotMatch(history.stdout, /tool output/u);
  const again = await gateway.cli("doctor", "--only", "older", "--json");
  assert.doesNotMatch(again.stdout, /older\.(?:people|sessions|key)/u);
});
