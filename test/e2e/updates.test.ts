// Updates there and back, with real programs over one state folder: this version, the next, and one that this one cannot follow (R10).

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import type { Migration } from "../../src/platform/database.ts";
import { until } from "../kit/conversation.ts";
import { dumpRows, listColumns, listTables } from "../kit/database-dump.ts";
import { createGatewayProcess, freePort, launcher, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient } from "../kit/raw-client.ts";
import { makeVersion, type OtherVersion } from "../kit/other-version.ts";

const root = join(import.meta.dirname, "..", "..");
const adding: Migration[] = [
  {
    id: "future-1",
    sql: `ALTER TABLE sessions ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
      ALTER TABLE sessions ADD COLUMN nickname TEXT;
      CREATE UNIQUE INDEX sessions_nickname ON sessions (nickname);
      ALTER TABLE transcript ADD COLUMN seen_at INTEGER;
      CREATE TABLE words (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
      INSERT INTO words (id, text) SELECT id, preview FROM transcript;
      CREATE INDEX words_text ON words (text)`,
  },
  { id: "future-2", sql: "ALTER TABLE outbox ADD COLUMN urgency INTEGER DEFAULT 0" },
];
const parting: Migration[] = [...adding, { id: "future-3", minReader: "9.0.0", sql: "DROP TABLE words" }];

let folder: string;
let state: string;
let port: number;
let first: GatewayProcess;
/** 9.0.0 adds, 9.1.0 takes away what only 9.0.0 had. */
let next: GatewayProcess;
let later: GatewayProcess;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "updates-"));
  state = join(folder, "state with a blank");
  port = await freePort();
  const open = ({ env, ...program }: Partial<OtherVersion>) =>
    createGatewayProcess({
      ...program,
      env: { ...env, HOME: folder, OPENCLAW_STATE_DIR: state, OPENCLAW_GATEWAY_PORT: String(port) },
      args: ["--port", String(port)],
    });
  first = await open({ launcher });
  next = await open(await makeVersion(join(folder, "9.0.0"), "9.0.0", adding));
  later = await open(await makeVersion(join(folder, "9.1.0"), "9.1.0", parting));
  await mkdir(state);
});
after(async () => {
  for (const gateway of [first, next, later]) await gateway?.dispose();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

function look<T>(task: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(state, "gateway.sqlite"), { readOnly: true });
  try {
    return task(db);
  } finally {
    db.close();
  }
}

/** All that the first version knows of, but for what every start writes. */
const known = new Map<string, readonly string[]>();
const readKnown = () =>
  look((db) =>
    [...known]
      .filter(([table]) => !["migrations", "readiness"].includes(table))
      .map(([table, columns]) => [table, dumpRows(db, table, [...columns])]),
  );

async function say(gateway: GatewayProcess, message: string): Promise<void> {
  const { code, stdout, stderr } = await gateway.cli("agent", "--message", message);
  assert.equal(code, 0, stderr);
  assert.ok(stdout.includes(message), stdout);
}

async function history(gateway: GatewayProcess): Promise<string> {
  const params = JSON.stringify({ sessionKey: "main", limit: 200 });
  const { stdout, stderr, code } = await gateway.cli("gateway", "call", "chat.history", "--params", params);
  assert.equal(code, 0, stderr);
  return stdout;
}

const snapshots = async () => (await readdir(join(state, "snapshots")).catch(() => [])).toSorted();

test("to the next version and back, three times: each goes on with all that was said, and nothing else changes", async () => {
  await writeConfig('{ gateway: { mode: "local" }, agents: { defaults: { model: "offline/demo" } } }');
  await first.start();
  await say(first, "said to the first");
  await first.stop();
  assert.deepEqual(await snapshots(), [], "a fresh database has nothing to lose");
  look((db) => listTables(db).forEach((table) => known.set(table, listColumns(db, table))));
  const said = ["said to the first"];
  for (let round = 1; round <= 3; round += 1) {
    for (const gateway of [next, first]) {
      const rows = readKnown();
      await gateway.start();
      assert.deepEqual(readKnown(), rows, "a start changes no row");
      const heard = await history(gateway);
      for (const message of said) assert.ok(heard.includes(message), message);
      said.push(`round ${round} to ${gateway === next ? "the next" : "the first"}`);
      await say(gateway, said.at(-1) ?? "");
      assert.equal(await gateway.stop(), 0);
    }
  }
  const [snapshot, ...more] = await snapshots();
  assert.match(snapshot ?? "", /^gateway-before-9\.0\.0-\d+T\d+Z\.sqlite$/u);
  assert.equal(more.length, 0, "only the first time had something to change");
  assert.equal((await stat(join(state, "snapshots", snapshot ?? ""))).mode & 0o777, 0o600);
  assert.match(next.output(), /the database was brought up to date/u);
  assert.equal(first.output().match(/used by a newer version; what that added is left alone/gu)?.length, 3);
  const moods = look((db) => db.prepare("SELECT DISTINCT mood FROM sessions").all());
  assert.deepEqual(
    moods.map(({ mood }) => mood),
    ["calm"],
  );
});

test("doctor names version and copies, and what a newer version left is no error", async () => {
  const { stdout } = await first.cli("doctor", "--json", "--only", "storage");
  const told = JSON.parse(stdout) as { database: { version: string; snapshots: object[] }; findings: { id: string }[] };
  assert.equal(told.database.version, "9.0.0");
  assert.equal(told.database.snapshots.length, 1);
  assert.deepEqual(
    told.findings.map(({ id }) => id).filter((id) => id.includes("database")),
    ["storage.database-newer"],
  );
  const text = (await first.cli("doctor", "--only", "storage")).stdout;
  assert.match(text, /The database is of version 9\.0\.0, with \d+ steps; 1 snapshot of it from before updates/u);
  const listed = (await first.cli("backup", "snapshots")).stdout;
  assert.match(listed, /9\.0\.0 .*gateway-before-9\.0\.0-.*\.sqlite\n.*backup restore <file>/u);
});

test("after a step that it cannot follow, the older version refuses with the command that leads back, and that works and can be undone", async () => {
  await later.start();
  await say(later, "said to the latest");
  await later.stop();
  await next.start();
  await next.stop();
  await assert.rejects(first.start(), /the Gateway ended \(1\)/u);
  const told = first.output();
  assert.match(told, /was changed by a newer version \(future-3 of 9\.1\.0\), and version \S+ cannot work with it/u);
  assert.match(told, /install version 9\.0\.0 or newer; or, to go back to the data of /u);
  const found = (await first.cli("doctor", "--only", "storage", "--lint")).stdout;
  assert.match(found, /changed by a newer version.*\[storage\.database-newer\]/u);
  const command = /: openclaw (backup restore '[^']+gateway-before-9\.1\.0-[^']+\.sqlite')/u.exec(told)?.[1];
  assert.ok(command, told);

  const type = (words: string) =>
    promisify(execFile)("sh", ["-c", `'${process.execPath}' '${join(root, "bin", "openclaw.mjs")}' ${words}`], {
      env: first.env,
    });
  const dry = await type(`${command} --dry-run`);
  assert.match(
    dry.stdout,
    /is set aside, and .* comes in its place\.\nWhat was said and sent since that was made is not in it\.\n$/u,
  );
  const restored = await type(`${command} --force`);
  assert.match(restored.stdout, /^restored .*; what was there is kept in .*before-restore-/mu);
  await first.start();
  const heard = await history(first);
  assert.ok(heard.includes("round 3 to the first") && !heard.includes("said to the latest"));
  await say(first, "after going back");
  const running = await first.cli("backup", "restore", "--undo", "--force");
  assert.match(running.stderr, /another Gateway runs on this state folder/u);
  // killed: what it has written lately is in a side file, which must not get into the other database
  await first.stop("SIGKILL");
  assert.ok((await stat(join(state, "gateway.sqlite-wal"))).size > 0);

  await type("backup restore --undo --force");
  await later.start();
  const again = await history(later);
  assert.ok(again.includes("said to the latest") && !again.includes("after going back"));
  await later.stop();
  assert.deepEqual(
    look((db) =>
      db
        .prepare("PRAGMA integrity_check")
        .all()
        .map((row) => row["integrity_check"]),
    ),
    ["ok"],
  );
});

test("what is no database of a Gateway, or a damaged one, is not put in its place", async () => {
  const strange = join(folder, "strange.sqlite");
  const db = new DatabaseSync(strange);
  db.exec("CREATE TABLE mine (x)");
  db.close();
  const refused = await first.cli("backup", "restore", strange, "--force");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /it is no database of a Gateway\nnext: nothing was changed/u);
  await writeFile(strange, Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(5_000, 7)]));
  assert.match((await first.cli("backup", "restore", strange, "--force")).stderr, /cannot be restored: /u);
});

test("a step that fails ends the start with the step, the copy and what to type; the version before starts", async () => {
  const broken = await makeVersion(join(folder, "9.2.0"), "9.2.0", [
    ...parting,
    { id: "future-4", sql: "CREATE TABLE half (x); INSERT INTO nowhere (x) VALUES (1)" },
  ]);
  const failing = await createGatewayProcess({
    launcher: broken.launcher,
    env: { ...broken.env, HOME: folder, OPENCLAW_STATE_DIR: state },
  });
  try {
    await assert.rejects(failing.start(), /the Gateway ended \(1\)/u);
    assert.match(failing.output(), /step future-4 failed: no such table: nowhere/u);
    assert.match(
      failing.output(),
      /version 9\.1\.0 works with it as ever.*gateway-before-9\.2\.0-.*doctor --only storage/u,
    );
  } finally {
    await failing.dispose();
  }
  await later.start();
  assert.ok((await history(later)).includes("said to the latest"));
  await later.stop();
});

const writeConfig = (text: string) => writeFile(join(state, "openclaw.json"), text);

test("keys of a newer version's config leave the last good one in use, with the line that says so", async () => {
  const back = (await first.cli("backup", "snapshots", "--json")).stdout;
  const { snapshots: kept } = JSON.parse(back) as { snapshots: { before: string; path: string }[] };
  const fit = kept.find(({ before: version }) => version === "9.0.0" || version === "9.1.0");
  assert.equal((await first.cli("backup", "restore", fit?.path ?? "", "--force")).code, 0);
  await writeConfig(
    '{\n  gateway: { mode: "local",\n    dreams: { depth: 3 } },\n  agents: { defaults: { model: "offline/demo" } },\n}\n',
  );
  await first.start();
  await until(() => /openclaw\.json:3:5.*gateway\.dreams/u.test(first.output()));
  const health = JSON.parse((await first.cli("health", "--json")).stdout) as { configSource: string };
  assert.equal(health.configSource, "last-good");
  const client = await openRawClient(port, first.token);
  assert.equal((await client.connect()).ok, true);
  client.send({ type: "req", id: "run", method: "agent", params: { message: "still here", idempotencyKey: "newer" } });
  await client.wait((frame) => frame.id === "run" && frame.payload?.["status"] === "ok");
  client.close();
  assert.equal(await first.stop(), 0);
});
