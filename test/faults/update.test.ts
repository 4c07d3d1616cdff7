// The update of a database is killed with SIGKILL at random instants, in copying and in every step: the data is as it was, the next
// start succeeds, and what lies about is bounded (R10). FAULTS_KILLS and FAULTS_SEED choose the size and replay a run.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";

import { conversationMigrations } from "../../src/conversation/store/schema.ts";
import { checkDatabase } from "../../src/platform/database-copy.ts";
import { listSnapshots, readSteps } from "../../src/platform/database-snapshots.ts";
import { openKeptDatabase, type Migration } from "../../src/platform/database.ts";
import { tables } from "../../src/gateway/tables.ts";
import { dumpRows, listColumns, listTables } from "../kit/database-dump.ts";
import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { makeVersion, type OtherVersion } from "../kit/other-version.ts";
import { createRandom } from "../kit/random.ts";

const kills = Number(process.env["FAULTS_KILLS"] ?? 200);
const seed = Number(process.env["FAULTS_SEED"] ?? randomInt(2 ** 31));
const folder = mkdtempSync(join(tmpdir(), "update-kill-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const before: Migration[] = [...conversationMigrations, ...tables];
const opener = { version: "0.1.0", command: (words: string) => words };
/** Each takes its time over all messages. */
const steps: Migration[] = [
  {
    id: "next-1",
    sql: `ALTER TABLE transcript ADD COLUMN hash TEXT; UPDATE transcript SET hash = hex(message);
      CREATE INDEX transcript_hash ON transcript (hash)`,
  },
  {
    id: "next-2",
    sql: `CREATE TABLE words (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
      INSERT INTO words (id, text) SELECT id, upper(message) FROM transcript; CREATE INDEX words_text ON words (text)`,
  },
];

async function fill(path: string): Promise<void> {
  const database = await openKeptDatabase(path, before, opener);
  await database.write((sql) =>
    sql.run(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
       INSERT INTO transcript (session_id, run_id, step, at, role, preview, message)
       SELECT 's', 'r' || i, 0, i, 'user', 'p', '{"n":' || i || ',"text":"' || hex(randomblob(300)) || '"}' FROM n`,
    ),
  );
  await database.close();
}

function readRows(path: string, columns: ReadonlyMap<string, readonly string[]>): Map<string, string[]> {
  const db = new DatabaseSync(path);
  try {
    return new Map([...columns].map(([table, names]) => [table, dumpRows(db, table, [...names])]));
  } finally {
    db.close();
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test(`killed in an update at ${kills} random instants, all data is there and the next one goes through (R10, seed ${seed})`, async () => {
  const random = createRandom(seed);
  const path = join(folder, "gateway.sqlite");
  await fill(path);
  const db = new DatabaseSync(path, { readOnly: true });
  const columns = new Map(
    listTables(db)
      .filter((table) => table !== "migrations")
      .map((table) => [table, listColumns(db, table)]),
  );
  db.close();
  const rows = readRows(path, columns);
  const ids = readSteps(path).map(({ id }) => id);

  const script = join(folder, "update.mjs");
  writeFileSync(
    script,
    `import { openKeptDatabase } from ${JSON.stringify(join(import.meta.dirname, "../../src/platform/database.ts"))};
     const migrations = ${JSON.stringify([...before, ...steps])};
     console.log("begin");
     await (await openKeptDatabase(process.argv[2], migrations, { version: "0.2.0", command: (words) => words })).close();
     console.log("end");`,
  );
  let begunAt = 0;
  /** @returns what it told. `killAfterMs`: from the moment on when it begins. */
  const update = async (killAfterMs?: number): Promise<string> => {
    const child = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "inherit"] });
    const closed = once(child, "close");
    let told = "";
    child.stdout.on("data", (chunk: Buffer) => void (told += chunk.toString()));
    await once(child.stdout, "data");
    begunAt = performance.now();
    if (killAfterMs !== undefined) {
      await pause(killAfterMs);
      child.kill("SIGKILL");
    }
    await closed;
    return told;
  };

  // how long it takes here, so that the kills fall into all of it
  assert.match(await update(), /end/u);
  const wholeMs = performance.now() - begunAt;
  let done = 0;
  let undone = 0;
  for (let count = 0; count < kills; count += 1) {
    if (readSteps(path).length > ids.length) await goBack(path);
    const told = await update(random(Math.ceil(wholeMs)));
    const taken = readSteps(path).map(({ id }) => id);
    const isWhole = taken.length > ids.length;
    if (isWhole) done += 1;
    else undone += 1;
    assert.deepEqual(taken, isWhole ? [...ids, "next-1", "next-2"] : ids, "all steps or none");
    if (told.includes("end")) assert.ok(isWhole);
    assert.deepEqual(checkDatabase(path), []);
    assert.deepEqual(readRows(path, columns), rows, `data after kill ${count}`);
    const snapshots = await listSnapshots(path);
    // the one before goes once the new one is whole
    assert.ok(snapshots.length <= 2);
    if (isWhole) assert.ok(snapshots.length > 0, "no step without a copy");
    for (const one of snapshots) {
      assert.deepEqual(checkDatabase(one.path), []);
      assert.deepEqual(
        readSteps(one.path).map(({ id }) => id),
        ids,
      );
    }
    const left = readdirSync(join(folder, "snapshots")).filter((name) => name.includes(".tmp"));
    assert.ok(left.length <= 2, left.join(" "));
  }
  console.log(`   ${done} killed after the update, ${undone} before or in it`);
  assert.ok(undone > 0);
  if (readSteps(path).length > ids.length) await goBack(path);
  assert.match(await update(), /end/u);
  assert.deepEqual(readRows(path, columns), rows);
  assert.deepEqual(
    readdirSync(join(folder, "snapshots")).filter((name) => name.includes(".tmp")),
    [],
  );
});

test(`a Gateway of the next version, killed in its first start, leaves one that either version goes on with (R10, seed ${seed})`, async () => {
  const random = createRandom(seed);
  const state = join(folder, "whole");
  mkdirSync(state);
  writeFileSync(
    join(state, "openclaw.json"),
    '{ gateway: { mode: "local" }, agents: { defaults: { model: "offline/demo" } } }',
  );
  const next = await makeVersion(join(folder, "next"), "9.0.0", steps);
  const open = (program: Partial<OtherVersion>) =>
    createGatewayProcess({ ...program, env: { ...program.env, HOME: folder, OPENCLAW_STATE_DIR: state } });
  const older = await open({});
  const newer = await open(next);
  const path = join(state, "gateway.sqlite");
  const said = async (gateway: GatewayProcess) => {
    const params = JSON.stringify({ sessionKey: "main", limit: 200 });
    return (await gateway.cli("gateway", "call", "chat.history", "--params", params)).stdout;
  };
  try {
    await older.start();
    assert.equal((await older.cli("agent", "--message", "said before")).code, 0);
    await older.stop();
    // something to do for the steps
    await fill(path);
    for (let round = 0; round < Math.max(3, kills / 10); round += 1) {
      const started = newer.start().catch(() => undefined);
      await pause(200 + random(700));
      await newer.stop("SIGKILL");
      await started;
      assert.deepEqual(checkDatabase(path), []);
      const gateway = round % 2 === 0 ? older : newer;
      await gateway.start();
      assert.ok((await said(gateway)).includes("said before"), `round ${round}`);
      assert.equal(await gateway.stop(), 0);
      for (const one of await listSnapshots(path)) assert.deepEqual(checkDatabase(one.path), []);
      const [snapshot] = await listSnapshots(path);
      if (snapshot && readSteps(path).some(({ id }) => id === "next-2")) await goBack(path);
    }
  } finally {
    await older.dispose();
    await newer.dispose();
  }
});

/** To the copy from before the update, by the way that `backup restore` goes. */
async function goBack(path: string): Promise<void> {
  const [snapshot] = await listSnapshots(path);
  assert.ok(snapshot);
  const { restoreSnapshot } = await import("../../src/backup/snapshot.ts");
  const { systemClock } = await import("../../src/base/clock.ts");
  const { point } = await restoreSnapshot({
    file: snapshot.path,
    database: path,
    lock: join(dirname(path), "gateway.lock"),
    clock: systemClock,
  });
  rmSync(point, { recursive: true });
}
