// What goes for good, and what stays: over a real database with the tables of all rooms.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { plantSession, tablesWith, type PlantedSession } from "../kit/many-sessions.ts";
import { createManualClock, systemClock, type Clock } from "../../src/base/clock.ts";
import { Fault } from "../../src/base/fault.ts";
import type { RunId, SessionKey } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { sessionTables, tables } from "../../src/gateway/tables.ts";
import { readSpace } from "../../src/platform/database-space.ts";
import { openDatabase, type Database, type Sql } from "../../src/platform/database.ts";
import { conversationMigrations } from "../../src/conversation/store/schema.ts";
import { insertArchive } from "../../src/conversation/store/archives.ts";
import { insertOutbox } from "../../src/conversation/store/outbox.ts";
import { touchSession } from "../../src/conversation/store/sessions.ts";
import { addSystemEvent } from "../../src/conversation/store/system-events.ts";
import { insertTurn } from "../../src/conversation/store/turns.ts";
import { createPruning } from "../../src/conversation/retention/methods.ts";
import { createRetention, defaultRetention, type RetentionPolicy } from "../../src/conversation/retention/retention.ts";

const day = 24 * 60 * 60 * 1000;
const root = mkdtempSync(join(tmpdir(), "retention-"));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;

interface Kit {
  readonly file: string;
  readonly database: Database;
  readonly retention: ReturnType<typeof createRetention>;
  readonly prune: ReturnType<typeof createPruning>["prune"];
  readonly removed: string[];
  readonly forgotten: Map<string, number>;
  plant(...sessions: PlantedSession[]): Promise<void>;
  keys(): Promise<string[]>;
}

function open(
  options: {
    policy?: Partial<RetentionPolicy>;
    wrap?: (database: Database) => Database;
    file?: string;
    clock?: Clock;
  } = {},
): Kit {
  const file = options.file ?? join(root, `${(count += 1)}.sqlite`);
  const opened = openDatabase(file, [...conversationMigrations, ...tables]);
  const database = options.wrap?.(opened) ?? opened;
  const removed: string[] = [];
  const forgotten = new Map<string, number>();
  const policy = () => ({ ...defaultRetention, ...options.policy });
  const retention = createRetention({
    database,
    clock: options.clock ?? systemClock,
    log: silentLog,
    policy,
    tables: sessionTables,
    onRemoved: (key) => void removed.push(key),
    onForgotten: (kind, number) => void forgotten.set(kind, (forgotten.get(kind) ?? 0) + number),
  });
  return {
    file,
    database,
    retention,
    removed,
    forgotten,
    prune: createPruning({ retention, policy }).prune,
    plant: (...sessions) =>
      opened.write((sql) => {
        for (const session of sessions) plantSession(sql, session);
      }),
    keys: () =>
      opened.read((sql) => sql.all("SELECT key FROM sessions ORDER BY updated_at").map(({ key }) => String(key))),
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const ago = (days: number) => Date.now() - days * day;
const all = (database: Database, text: string) => database.read((sql) => tablesWith(sql, text));

describe("sessions.prune", () => {
  test("shows exactly what goes, removes that from all tables, and keeps what guards against repeats without a word (R33)", async () => {
    const kit = open();
    const { database, prune } = kit;
    await kit.plant(
      { key: "agent:main:dm:old", at: ago(40), messages: 3, words: "oldword", hasRun: true },
      { key: "agent:main:dm:new", at: ago(2), messages: 5, words: "newword", hasRun: true },
      { key: "agent:work:dm:old", agentId: "work", at: ago(50), messages: 1, words: "workword" },
    );
    await database.write((sql) => {
      sql.run(
        "INSERT INTO responses VALUES ('r1', 'agent:main:dm:old', 1, 'oldword', 'oldword'), ('r2', 'agent:main:dm:new', 1, 'newword', '')",
      );
      sql.run("INSERT INTO a2ui_boards VALUES ('agent:main:dm:old', 1, 'e', 'oldword', 1, NULL)");
    });
    const before = await all(database, "oldword");
    for (const table of ["transcript", "inbox", "turns", "outbox", "responses", "a2ui_boards"])
      assert.ok(before.includes(table), table);

    const shown = await prune({ dryRun: true, agentId: "main" });
    assert.deepEqual(
      [shown.sessions.map(({ key }) => key), shown.sessionCount, shown.messages, shown.archives, shown.kept],
      [["agent:main:dm:old"], 1, 3, 0, 2],
    );
    assert.ok(shown.bytes > 100);
    assert.deepEqual(await all(database, "oldword"), before, "a look changes nothing");

    const done = await prune({ agentId: "main", plan: shown.plan });
    assert.deepEqual([done.sessionCount, done.messages, done.bytes], [1, 3, shown.bytes]);
    assert.deepEqual(await all(database, "oldword"), []);
    assert.deepEqual(kit.removed, ["agent:main:dm:old"]);
    assert.deepEqual(await kit.keys(), ["agent:work:dm:old", "agent:main:dm:new"]);
    const events = await database.read((sql) => sql.get("SELECT count(*) AS n FROM inbox"));
    assert.equal(events?.["n"], 2, "the event of the old session cannot come twice");
    assert.ok((await all(database, "newword")).includes("inbox"));
    assert.deepEqual((await prune({ agentId: "main" })).sessionCount, 0);
    assert.deepEqual(
      (await prune({})).sessions.map(({ key }) => key),
      ["agent:work:dm:old"],
    );
  });

  test("main sessions, open turns, pending replies and notes that wait are never touched (R33)", async () => {
    const { database, plant, prune, keys } = open();
    const at = ago(400);
    await plant(
      { key: "agent:main:main", at, messages: 1 },
      { key: "agent:work:main", agentId: "work", at, messages: 1 },
      { key: "global", at, messages: 1 },
      { key: "agent:main:dm:queued", at, messages: 1 },
      { key: "agent:main:dm:reply", at, messages: 1, chatId: "77" },
      { key: "agent:main:dm:noted", at, messages: 1 },
      { key: "agent:main:dm:hooked", at, messages: 1 },
      { key: "agent:main:dm:restarting", at, messages: 1 },
      { key: "agent:main:dm:free", at, messages: 1, chatId: "78" },
    );
    await database.write((sql) => {
      // ids of a test
      const key = "agent:main:dm:queued" as SessionKey;
      insertTurn(sql, { runId: "waiting" as RunId, inboxId: 1, sessionKey: key, acceptedAt: at });
      const target = { channel: "telegram", account: "default", chatId: "77" };
      insertOutbox(sql, { effectKey: "e", source: "reply", target, payload: { text: "soon" }, now: at });
      addSystemEvent(sql, "agent:main:dm:noted" as SessionKey, { text: "look", at });
      sql.run("INSERT INTO hook_runs VALUES ('h', 'agent:main:dm:hooked', 'hook')");
      sql.run(
        "INSERT INTO restart_intents (effect_key, session_key, due_at, payload, created_at) VALUES ('r', 'agent:main:dm:restarting', 1, '{}', 1)",
      );
    });
    const done = await prune({ olderThanDays: 0.001, keep: 0 });
    assert.deepEqual(
      done.sessions.map(({ key }) => key),
      ["agent:main:dm:free"],
    );
    assert.equal(done.kept, 8);
    assert.equal((await keys()).length, 8);
  });

  test("a session that is used between the look and the yes stays, and a plan that is no longer true removes nothing (R33)", async () => {
    let onWrite: ((sql: Sql) => void) | undefined;
    const kit = open({
      wrap: (database) => ({
        ...database,
        write: (task) =>
          database.write((sql) => {
            onWrite?.(sql);
            onWrite = undefined;
            return task(sql);
          }),
      }),
    });
    await kit.plant(
      { key: "agent:main:dm:1", at: ago(90), messages: 2 },
      { key: "agent:main:dm:2", at: ago(80), messages: 2 },
    );
    const { plan } = await kit.prune({ dryRun: true });
    // a key of a test
    const touch = (key: string) => (sql: Sql) =>
      void touchSession(sql, { key: key as SessionKey, sessionId: "x", agentId: "main", now: Date.now() });
    onWrite = touch("agent:main:dm:1");
    const done = await kit.prune({ plan });
    assert.deepEqual([done.sessionCount, done.skipped], [1, 1]);
    assert.deepEqual(await kit.keys(), ["agent:main:dm:1"]);

    await kit.plant({ key: "agent:main:dm:3", at: ago(70), messages: 1 });
    await assert.rejects(kit.prune({ plan }), (error) => error instanceof Fault && error.field === "plan");
    assert.equal((await kit.keys()).length, 2);
  });

  test("what the config says is what is meant by default (R33)", async () => {
    const kit = open({ policy: { sessions: { olderThanMs: undefined, keep: 1 } } });
    await kit.plant(
      { key: "agent:main:dm:1", at: ago(3), messages: 1 },
      { key: "agent:main:dm:2", at: ago(2), messages: 1 },
      { key: "agent:work:dm:1", agentId: "work", at: ago(400), messages: 1 },
    );
    const { sessions } = await kit.prune({ dryRun: true });
    assert.deepEqual(
      sessions.map(({ key, reason }) => [key, reason]),
      [["agent:main:dm:1", "count"]],
    );
  });

  test("archived parts of transcripts go too: of what goes, and those older than asked for (R33)", async () => {
    const { database, plant, prune } = open();
    await plant({ key: "agent:main:dm:1", at: ago(90), messages: 2, words: "current" });
    await database.write((sql) => {
      const archive = (id: string, sessionKey: string, days: number) => {
        plantSession(sql, { key: `x:${id}`, at: 1, messages: 4, words: id });
        const row = sql.get("SELECT session_id FROM sessions WHERE key = ?", `x:${id}`);
        sql.run("DELETE FROM sessions WHERE key = ?", `x:${id}`);
        // a key of a test
        const of = sessionKey as SessionKey;
        insertArchive(sql, { sessionId: String(row?.["session_id"]), sessionKey: of, reason: "reset", now: ago(days) });
      };
      archive("itsreset", "agent:main:dm:1", 1);
      archive("oldreset", "agent:main:dm:9", 20);
      archive("newreset", "agent:main:dm:9", 1);
    });
    const shown = await prune({ dryRun: true, olderThanDays: 10 });
    assert.deepEqual([shown.sessionCount, shown.archives, shown.messages], [1, 2, 10]);
    await prune({ olderThanDays: 10 });
    for (const word of ["current", "itsreset", "oldreset"]) assert.deepEqual(await all(database, word), [], word);
    assert.deepEqual(await all(database, "newreset"), ["transcript"]);
  });

  test("a long session is gone at once for who looks, and cut off in the middle its rest goes at the next start (R33)", async () => {
    const kit = open();
    await kit.plant({ key: "agent:main:dm:long", at: ago(90), messages: 3_000, size: 2_000, words: "longword" });
    const { database } = kit;
    let writes = 0;
    const cut: Database = {
      ...database,
      write(task) {
        writes += 1;
        return writes > 2 ? Promise.reject(new Error("killed")) : database.write(task);
      },
    };
    const broken = open({ file: kit.file, wrap: () => cut });
    await assert.rejects(broken.prune({}), /killed/u);
    assert.deepEqual(await kit.keys(), []);
    assert.ok((await all(database, "longword")).length > 0, "the test cut it off too late");
    await kit.retention.forget("archives", Number.MAX_SAFE_INTEGER);
    assert.deepEqual(await all(database, "longword"), []);
  });
});

describe("by itself", () => {
  /** What is there after its first round. */
  async function runOnce(policy: Partial<RetentionPolicy>, going = 0) {
    const clock = createManualClock(Date.now());
    const kit = open({ policy, clock });
    await kit.plant(
      { key: "agent:main:main", at: ago(500), messages: 1 },
      { key: "agent:main:dm:1", at: ago(100), messages: 1, words: "oldest", hasRun: true },
      { key: "agent:main:dm:2", at: ago(50), messages: 1 },
      { key: "agent:main:dm:3", at: ago(1), messages: 1, words: "newest", hasRun: true },
    );
    await kit.database.write((sql) => {
      const sessionId = plantSession(sql, { key: "x:x", at: 1, messages: 3, words: "archived" });
      sql.run("DELETE FROM sessions WHERE key = 'x:x'");
      // a key of a test
      insertArchive(sql, { sessionId, sessionKey: "x:x" as SessionKey, reason: "reset", now: ago(31) });
    });
    await kit.retention.start();
    // not a moment longer: its pauses would wait for this clock
    await clock.advance(60_000);
    await until(async () => (await all(kit.database, "oldest")).every((table) => table === "transcript"));
    await until(() => kit.removed.length >= going, 10_000);
    // more than those would follow at once
    await pause(100);
    const rest = { keys: await kit.keys(), archived: await all(kit.database, "archived"), removed: kit.removed };
    assert.ok((await all(kit.database, "newest")).includes("inbox"));
    await kit.retention.stop(AbortSignal.timeout(1_000));
    await kit.database.close();
    return rest;
  }
  const every = ["agent:main:main", "agent:main:dm:1", "agent:main:dm:2", "agent:main:dm:3"];

  test("rows and archives go by their age, sessions only where the config says so (R33)", async () => {
    assert.deepEqual(await runOnce({}), { keys: every, archived: [], removed: [] });
    const old = await runOnce({ sessions: { olderThanMs: 60 * day, keep: undefined } }, 1);
    assert.deepEqual(old.removed, ["agent:main:dm:1"]);
    const many = await runOnce({ sessions: { olderThanMs: undefined, keep: 1 } }, 2);
    assert.deepEqual(
      [many.removed, many.keys],
      [
        ["agent:main:dm:1", "agent:main:dm:2"],
        [every[0], every[3]],
      ],
    );
  });

  test("with mode warn neither sessions nor archives go (R33)", async () => {
    const rest = await runOnce({ isEnforced: false, sessions: { olderThanMs: 1, keep: 1 } });
    assert.deepEqual(rest, { keys: every, archived: ["transcript"], removed: [] });
    assert.deepEqual((await runOnce({ archivesMs: undefined })).archived, ["transcript"]);
  });
});

describe("room", () => {
  test("the file shrinks by what went, and no statement takes long (R33)", async () => {
    const times: number[] = [];
    const timed =
      <Args extends unknown[], Result>(call: (...args: Args) => Result) =>
      (...args: Args): Result => {
        // of this thread alone: a busy machine makes no statement slow
        const before = process.threadCpuUsage();
        const result = call(...args);
        const { user, system } = process.threadCpuUsage(before);
        times.push((user + system) / 1000);
        return result;
      };
    const watch = (sql: Sql): Sql => ({ run: timed(sql.run), get: timed(sql.get), all: timed(sql.all) });
    const kit = open({
      wrap: (database) => ({
        ...database,
        read: (task) => database.read((sql) => task(watch(sql))),
        write: (task) => database.write((sql) => task(watch(sql))),
      }),
    });
    for (let index = 0; index < 40; index += 1)
      await kit.plant({ key: `agent:main:dm:${index}`, at: ago(90 - index), messages: 60, size: 6_000 });
    const size = () => statSync(kit.file).size;
    await kit.prune({ dryRun: true });
    await kit.database.read((sql) => sql.all("PRAGMA wal_checkpoint(TRUNCATE)"));
    const before = size();
    assert.ok(before > 10_000_000);
    times.length = 0;
    await kit.prune({ keep: 4 });
    const { freeBytes } = await kit.database.read(readSpace);
    assert.ok(freeBytes < 1_500_000, `${freeBytes} bytes are free in it`);
    assert.ok(size() < before / 4, `${before} to ${size()}`);
    const slow = times.filter((ms) => ms > 5).length;
    // a thread that is pushed aside all the time finds its caches cold, and pays for garbage in between
    assert.ok(slow <= times.length / 50, `${slow} of ${times.length} statements took more than 5 ms`);
    assert.ok(Math.max(...times) < 50, `a statement took ${Math.max(...times)} ms`);
    assert.equal((await kit.keys()).length, 4);
  });

  test("for the disk's sake the oldest goes first, and no more than is needed; what is in use stays (R33)", async () => {
    const kit = open();
    const { database, retention } = kit;
    await kit.plant({ key: "agent:main:dm:live", at: ago(0), messages: 50, size: 4_000, words: "live", hasRun: true });
    await kit.plant({ key: "agent:main:dm:5", at: ago(3), messages: 1, words: "ended", hasRun: true });
    await database.write((sql) => {
      for (const [id, days] of [
        ["older", 9],
        ["newer", 8],
      ] as const) {
        const sessionId = plantSession(sql, { key: `x:${id}`, at: 1, messages: 100, size: 1_000, words: id });
        sql.run("DELETE FROM sessions WHERE key = ?", `x:${id}`);
        // a key of a test
        insertArchive(sql, { sessionId, sessionKey: "x:x" as SessionKey, reason: "reset", now: ago(days) });
      }
    });
    const first = await retention.forget("archives", 50_000);
    assert.ok(first.bytes >= 50_000 && first.bytes < 250_000, `${first.bytes}`);
    assert.deepEqual([await all(database, "newer"), (await all(database, "live")).length > 3], [["transcript"], true]);
    await retention.forget("archives", Number.MAX_SAFE_INTEGER);
    assert.ok((await retention.forget("rows", Number.MAX_SAFE_INTEGER)).count > 0);
    for (const gone of ["older", "newer"]) assert.deepEqual(await all(database, gone), []);
    assert.deepEqual(await all(database, "ended"), ["transcript"]);
    for (const table of ["transcript", "inbox", "turns", "outbox"])
      assert.ok((await all(database, "live")).includes(table), table);
    assert.ok((kit.forgotten.get("archives") ?? 0) >= 200);
  });
});
