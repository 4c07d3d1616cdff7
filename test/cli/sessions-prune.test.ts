// `sessions prune` with a real Gateway, up and down: what was shown goes, and nothing without a yes.

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";

import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { plantSession, tablesWith } from "../kit/many-sessions.ts";
import { conversationMigrations } from "../../src/conversation/store/schema.ts";
import { openDatabase } from "../../src/platform/database.ts";
import { tables } from "../../src/gateway/tables.ts";
import { packDatabase } from "../../src/platform/database-space.ts";

const day = 24 * 60 * 60 * 1000;
const started: GatewayProcess[] = [];
after(() => Promise.all(started.map((gateway) => gateway.dispose())));

const fileOf = (gateway: GatewayProcess) => join(gateway.folder, "state", "gateway.sqlite");

/** Before its first start. */
async function create(): Promise<GatewayProcess> {
  const gateway = await createGatewayProcess();
  started.push(gateway);
  const database = openDatabase(fileOf(gateway), [...conversationMigrations, ...tables]);
  await database.write((sql) => {
    for (let index = 0; index < 30; index += 1) {
      const at = Date.now() - (index < 20 ? 100 : 1) * day - index;
      plantSession(sql, { key: `agent:main:dm:${index}`, at, messages: 20, size: 5_000, words: `word${index}.` });
    }
    plantSession(sql, { key: "agent:main:main", at: Date.now() - 500 * day, messages: 1 });
    plantSession(sql, { key: "agent:work:dm:1", agentId: "work", at: Date.now() - 99 * day, messages: 1 });
  });
  await database.close();
  return gateway;
}

interface Answer {
  readonly sessions: readonly { readonly key: string }[];
  readonly sessionCount: number;
  readonly messages: number;
  readonly bytes: number;
  readonly kept: number;
  readonly dryRun: boolean;
}

async function json(gateway: GatewayProcess, ...args: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await gateway.cli("sessions", "prune", ...args, "--json");
  assert.deepEqual([code, stderr], [0, ""]);
  return JSON.parse(stdout) as Answer;
}

async function checkPrune(gateway: GatewayProcess): Promise<void> {
  const before = await json(gateway, "--dry-run");
  assert.deepEqual([before.sessionCount, before.messages, before.kept, before.dryRun], [21, 401, 11, true]);
  assert.ok(before.bytes > 20 * 20 * 5_000);
  assert.equal((await json(gateway, "--dry-run", "--agent", "work")).sessionCount, 1);
  assert.equal((await json(gateway, "--dry-run", "--keep", "5", "--agent", "main")).sessionCount, 25);
  assert.equal((await json(gateway, "--dry-run", "--older-than", "99.5")).sessionCount, 20);

  const unsure = await gateway.cli("sessions", "prune");
  assert.equal(unsure.code, 2, "nobody can be asked");
  assert.match(unsure.stdout, /Would remove 21 sessions and 0 archived transcripts: 401 messages/u);
  assert.match(unsure.stderr, /pass --yes to go on, or --dry-run/u);
  assert.equal((await json(gateway, "--dry-run")).sessionCount, 21);

  const done = await json(gateway, "--yes");
  assert.deepEqual([done.sessionCount, done.messages, done.bytes, done.dryRun], [21, 401, before.bytes, false]);
  const again = await gateway.cli("sessions", "cleanup", "--enforce", "--all-agents");
  assert.deepEqual([again.code, again.stdout], [0, "There is nothing to remove; 11 sessions kept.\n"]);
}

async function checkGone(gateway: GatewayProcess): Promise<void> {
  const database = openDatabase(fileOf(gateway), [...conversationMigrations, ...tables]);
  assert.deepEqual(await database.read((sql) => tablesWith(sql, "word7.")), []);
  assert.deepEqual(await database.read((sql) => tablesWith(sql, "word27.")), ["transcript"]);
  await database.close();
}

test("with the Gateway up it is the one that removes, and its file gets shorter (R33)", async () => {
  const gateway = await create();
  await gateway.start();
  const size = statSync(fileOf(gateway)).size;
  await checkPrune(gateway);
  const list = JSON.parse((await gateway.cli("sessions", "--json")).stdout) as { count: number };
  assert.equal(list.count, 11);
  assert.ok(statSync(fileOf(gateway)).size < size / 2, `${size} to ${statSync(fileOf(gateway)).size}`);
  const page = await (
    await fetch(`http://127.0.0.1:${gateway.port}/metrics`, { headers: { authorization: `Bearer ${gateway.token}` } })
  ).text();
  assert.match(page, /^gateway_retention_removed_total\{what="sessions"\} 21$/mu);
  await gateway.stop();
  await checkGone(gateway);
});

test("with the Gateway down it works on the file, also on one of an older version (R33)", async () => {
  const gateway = await create();
  // as older versions made it
  const database = new DatabaseSync(fileOf(gateway));
  database.exec("PRAGMA auto_vacuum = NONE; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  assert.deepEqual({ ...database.prepare("PRAGMA auto_vacuum").get() }, { auto_vacuum: 0 });
  database.close();
  const size = statSync(fileOf(gateway)).size;
  await checkPrune(gateway);
  assert.ok(statSync(fileOf(gateway)).size < size / 2, `${size} to ${statSync(fileOf(gateway)).size}`);
  await checkGone(gateway);
  // and it starts with what is left
  await gateway.start();
  assert.equal((JSON.parse((await gateway.cli("sessions", "--json")).stdout) as { count: number }).count, 11);
});

test("an older file can shrink by itself once it was packed (R33)", async () => {
  const gateway = await create();
  const old = new DatabaseSync(fileOf(gateway));
  old.exec("PRAGMA auto_vacuum = NONE; VACUUM");
  old.close();
  const database = openDatabase(fileOf(gateway), [...conversationMigrations, ...tables]);
  await database.read(packDatabase);
  assert.deepEqual({ ...(await database.read((sql) => sql.get("PRAGMA auto_vacuum"))) }, { auto_vacuum: 2 });
  await database.close();
});

test("what cannot be meant is refused before anything is looked at", async () => {
  const gateway = await createGatewayProcess();
  started.push(gateway);
  for (const args of [
    ["--older-than", "0"],
    ["--older-than", "soon"],
    ["--keep", "-1"],
    ["--keep", "1.5"],
  ])
    assert.equal((await gateway.cli("sessions", "prune", ...args, "--yes")).code, 2, args.join(" "));
  const none = await gateway.cli("sessions", "prune", "--yes");
  assert.equal(none.code, 1);
  assert.match(none.stderr, /no Gateway has run here yet/u);
});
