// The disk budget of a real Gateway: what is kept is told, and above the budget the oldest that can be spared goes, told as well.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";

import { openGatewayDatabase } from "../../src/conversation/database.ts";
import { insertArchive } from "../../src/conversation/store/archives.ts";
import { tables } from "../../src/gateway/tables.ts";
import type { SessionKey } from "../../src/base/ids.ts";
import { until } from "../kit/conversation.ts";
import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { plantSession, tablesWith } from "../kit/many-sessions.ts";

const day = 24 * 60 * 60 * 1000;
const megabyte = 1024 * 1024;
const started: GatewayProcess[] = [];
after(() => Promise.all(started.map((gateway) => gateway.dispose())));

interface Kept {
  readonly gateway: GatewayProcess;
  readonly logs: readonly string[];
  readonly points: readonly string[];
  readonly snapshots: readonly string[];
  /** Files that nobody may touch. */
  readonly others: readonly string[];
  words(text: string): Promise<string[]>;
}

const fileOf = (gateway: GatewayProcess) => join(gateway.folder, "state", "gateway.sqlite");

/** Three rolled logs, two archives and three restore points of a megabyte each, conversations of two, and things of others. */
async function create(maintenance: object): Promise<Kept> {
  const gateway = await createGatewayProcess({ config: { session: { maintenance } } });
  started.push(gateway);
  const state = join(gateway.folder, "state");
  const log = join(gateway.folder, "log");
  const put = async (path: string, at: number, bytes = megabyte) => {
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, Buffer.alloc(bytes, 32));
    await utimes(path, at / 1000, at / 1000);
    return path;
  };
  const now = Date.now();
  const logs = await Promise.all(
    [5, 4, 3].map((age, index) => put(join(log, `openclaw-2026-01-0${index + 1}.log`), now - age * day)),
  );
  const points = ["20260101-000000-000", "20260102-000000-000", "20260103-000000-000"].map((name) =>
    join(state, "restore-points", name),
  );
  for (const point of points) await put(join(point, "copy-0"), now);
  const snapshots = await Promise.all(
    ["20260101T000000000Z", "20260102T000000000Z"].map((time) =>
      put(join(state, "snapshots", `gateway-before-1.0.0-${time}.sqlite`), now, 1000),
    ),
  );
  const others = await Promise.all([
    put(join(log, "openclaw-rescue-2026-01-01.log"), now - 9 * day),
    put(join(log, "notes.txt"), now - 9 * day),
    put(join(state, "trash-1", "old.sqlite"), now - 9 * day, 10),
    put(join(state, "config-history", "1767225600000-0123456789abcdef-good.json5"), now - 9 * day, 10),
    put(join(state, "workspace", "film.mp4"), now - 9 * day, 8 * megabyte),
  ]);
  const database = await openGatewayDatabase(fileOf(gateway), { command: (words) => words }, tables);
  await database.write((sql) => {
    for (const [words, age] of [
      ["olderwords", 9],
      ["newerwords", 8],
    ] as const) {
      const sessionId = plantSession(sql, { key: `x:${words}`, at: 1, messages: 100, size: 10_000, words });
      sql.run("DELETE FROM sessions WHERE key = ?", `x:${words}`);
      // a key of a test
      insertArchive(sql, { sessionId, sessionKey: "x:x" as SessionKey, reason: "reset", now: now - age * day });
    }
    const old = { at: now - 400 * day, messages: 100, size: 20_000 };
    plantSession(sql, { ...old, key: "agent:main:dm:1", words: "livewords" });
    plantSession(sql, { key: "agent:main:dm:2", at: now - 2 * day, messages: 1, words: "runwords", hasRun: true });
  });
  await database.close();
  return {
    gateway,
    logs,
    points,
    snapshots,
    others,
    async words(text) {
      const opened = await openGatewayDatabase(fileOf(gateway), { command: (words) => words }, tables);
      const found = await opened.read((sql) => tablesWith(sql, text));
      await opened.close();
      return found;
    },
  };
}

interface Health {
  readonly disk?: { usedBytes: number; budgetBytes: number | null; biggest: { name: string; bytes: number }[] };
  readonly problems: readonly { message: string; next?: string }[];
}

async function health(gateway: GatewayProcess): Promise<Health> {
  return JSON.parse((await gateway.cli("health", "--json")).stdout) as Health;
}

async function untilLooked(gateway: GatewayProcess): Promise<Health> {
  await until(async () => (await health(gateway)).disk !== undefined, 20_000);
  return health(gateway);
}

const there = (paths: readonly string[]) => paths.map((path) => existsSync(path));

async function logOf(gateway: GatewayProcess): Promise<string> {
  const folder = join(gateway.folder, "log");
  const today = (await readdir(folder)).toSorted().filter((name) => /^openclaw-\d/u.test(name));
  return readFile(join(folder, today.at(-1) ?? ""), "utf8");
}

/** Before it starts about ten megabytes are kept: 3 of logs, 2 of archives, 3 of restore points, 2 of conversations. */
test("above the budget rolled logs go, then archives, then restore points, the oldest first, and all of it is told (R33, R32)", async () => {
  const kept = await create({ maxDiskBytes: 9 * megabyte, highWaterBytes: 6 * megabyte });
  const { gateway, logs, points, others } = kept;
  await gateway.start();
  const { disk, problems } = await untilLooked(gateway);
  // what is written ahead takes some megabytes beside the database
  assert.ok(disk && disk.usedBytes <= 9 * megabyte && disk.usedBytes > 4 * megabyte, JSON.stringify(disk));
  assert.equal(disk.budgetBytes, 9 * megabyte);
  assert.ok(disk.biggest.some(({ name, bytes }) => name === "restore-points" && bytes === 3 * megabyte));
  assert.ok(!disk.biggest.some(({ name }) => name === "workspace"));
  assert.deepEqual(
    problems.filter(({ message }) => /kept|left/u.test(message)),
    [],
  );
  assert.deepEqual(there(logs), [false, false, false]);
  assert.deepEqual(there([...points, ...kept.snapshots]), [true, true, true, true, true]);
  assert.deepEqual(
    there(others),
    others.map(() => true),
  );
  assert.match(await logOf(gateway), /"logs":3,.*"beforeBytes":\d+,"afterBytes":\d+,.*"the disk budget was reached/u);
  const url = `http://127.0.0.1:${gateway.port}/metrics`;
  const page = await (await fetch(url, { headers: { authorization: `Bearer ${gateway.token}` } })).text();
  assert.match(page, /^gateway_retention_removed_total\{what="logs"\} 3$/mu);
  assert.match(page, /^gateway_disk_budget_bytes 9437184$/mu);
  const status = await gateway.cli("status");
  assert.match(status.stdout, /^Disk: \d\.\d MB of 9\.0 MB \(/mu);
  await gateway.stop();
  assert.deepEqual(await kept.words("livewords"), ["transcript"]);
  assert.deepEqual(await kept.words("newerwords"), ["transcript"], "the older archive was enough");
});

test("what is in use stays, however small the budget; then it is said where the most is (R33)", async () => {
  const kept = await create({ maxDiskBytes: 1000 });
  const { gateway, logs, points, others } = kept;
  await gateway.start();
  const { disk, problems } = await untilLooked(gateway);
  assert.deepEqual(there(logs), [false, false, false]);
  assert.deepEqual(there(points), [false, false, true], "the last fix can be taken back");
  assert.deepEqual(there(kept.snapshots), [false, true], "and so can the last update");
  assert.deepEqual(
    there(others),
    others.map(() => true),
  );
  const told = problems.find(({ message }) => message.includes("session.maintenance.maxDiskBytes"));
  assert.match(told?.message ?? "", /^\d MB are kept, more than the 0 MB .*\(database \d MB, restore-points 1 MB, /u);
  assert.match(told?.next ?? "", /sessions prune --dry-run/u);
  assert.ok((disk?.usedBytes ?? 0) > 1000);
  assert.match(await logOf(gateway), /"the disk budget is overrun"/u);
  const doctor = await gateway.cli("doctor", "--json");
  assert.match(doctor.stdout, /storage\.budget/u);
  await gateway.stop();
  for (const gone of ["olderwords", "newerwords"]) assert.deepEqual(await kept.words(gone), [], gone);
  assert.deepEqual(await kept.words("livewords"), ["transcript"]);
  assert.deepEqual(await kept.words("runwords"), ["transcript"], "rows of work that was done two days ago");
});

test("with mode warn nothing goes, and it is told; with no limit nothing is told either (R33)", async () => {
  const warned = await create({ mode: "warn", maxDiskBytes: "1mb" });
  await warned.gateway.start();
  const { problems } = await untilLooked(warned.gateway);
  assert.deepEqual(
    there([...warned.logs, ...warned.points]),
    Array.from({ length: 6 }, () => true),
  );
  const told = problems.find(({ message }) => message.includes("session.maintenance.maxDiskBytes"));
  assert.match(told?.next ?? "", /^set session\.maintenance\.mode to enforce/u);
  assert.deepEqual(await warned.words("olderwords"), ["transcript"]);

  const free = await create({ maxDiskBytes: false });
  await free.gateway.start();
  const looked = await untilLooked(free.gateway);
  assert.equal(looked.disk?.budgetBytes, null);
  assert.deepEqual(
    looked.problems.filter(({ message }) => /are kept/u.test(message)),
    [],
  );
  assert.deepEqual(
    there([...free.logs, ...free.points]),
    Array.from({ length: 6 }, () => true),
  );
});
