// What processes leave behind that are killed in the middle of a save: the next Gateway takes it away once it is old enough, and nothing else.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chown, lstat, lutimes, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { createGatewayProcess, launcher, type GatewayProcess } from "../kit/gateway-process.ts";

const seed = Number(process.env["FAULTS_SEED"] ?? Date.now() % 1_000_000);
const kills = Number(process.env["FAULTS_KILLS"] ?? 20);
const started: GatewayProcess[] = [];
after(() => Promise.all(started.map((gateway) => gateway.dispose())));

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Numbers below 1, the same for the same seed. */
function random(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).toSorted();
}

const temporary = (names: readonly string[]) => names.filter((name) => name.endsWith(".tmp"));

/** As if it had been there for long. */
async function makeOld(folder: string): Promise<void> {
  const then = Date.now() / 1000 - 7_200;
  for (const name of await filesOf(folder)) await lutimes(join(folder, name), then, then);
}

const untilSwept = (gateway: GatewayProcess) =>
  until(async () => (await gateway.cli("health")).stdout.includes("Disk: "), 20_000);

test("killed and started many times, saves and all, the state folder holds what one clean life leaves (R33)", async () => {
  console.log(`FAULTS_SEED=${seed} FAULTS_KILLS=${kills}`);
  const next = random(seed);
  const gateway = await createGatewayProcess();
  started.push(gateway);
  const state = join(gateway.folder, "state");
  const change = (value: number) =>
    spawn(process.execPath, [launcher, "config", "set", "gateway.reload.debounceMs", String(value)], {
      env: gateway.env,
      stdio: "ignore",
    });
  await gateway.start();
  await new Promise((resolve) => change(100).once("exit", resolve));
  await untilSwept(gateway);
  await gateway.stop();
  // versions and copies of the config are bounded and counted by themselves; a lock has one journal at most, which is SQLite's
  const isCounted = (name: string) => !/^config-history\/.*-(?:good|kept)\.|\.bak|\.lock-journal$/u.test(name);
  const clean = (await filesOf(state)).filter(isCounted);

  for (let count = 0; count < kills; count += 1) {
    const life = gateway.start().catch(() => undefined);
    const saves = [change(count + 1), change(count + 500)];
    await pause(next() * 700);
    for (const save of saves) save.kill("SIGKILL");
    await gateway.stop("SIGKILL");
    await life;
  }
  // one that nobody can have timed: in the middle of a write
  for (const name of ["openclaw.json.0123456789ab.tmp", "gateway.lock.json.ba9876543210.tmp"])
    await writeFile(join(state, name), "half");
  await mkdir(join(state, "restore-points", ".20260101-000000-000.tmp"), { recursive: true });
  await writeFile(join(state, "restore-points", ".20260101-000000-000.tmp", "copy-0"), "half");
  await makeOld(state);
  await gateway.start();
  await untilSwept(gateway);
  assert.match(gateway.output(), /leftovers of killed processes removed/u);
  await gateway.stop();
  const left = (await filesOf(state)).filter(isCounted).filter((name) => name !== "restore-points");
  assert.deepEqual(left, clean);
  assert.ok((await filesOf(state)).length < clean.length + 60);
});

test("what is new, somebody else's, a link, or of another name stays (R33)", async () => {
  const gateway = await createGatewayProcess({ env: {} });
  started.push(gateway);
  const state = join(gateway.folder, "state");
  const put = async (name: string) => {
    const path = join(state, name);
    await writeFile(path, "x");
    return path;
  };
  await put("gone.0123456789ab.tmp");
  const staying = await Promise.all(["film.tmp", "notes.0123456789AB.tmp", "notes.0123456789ab.tmp.txt"].map(put));
  await symlink(join(state, "openclaw.json"), join(state, "link.0123456789ab.tmp"));
  staying.push(join(state, "link.0123456789ab.tmp"));
  await mkdir(join(state, "folder.0123456789ab.tmp"));
  staying.push(join(state, "folder.0123456789ab.tmp"));
  if (process.getuid?.() === 0) {
    const path = await put("other.0123456789ab.tmp");
    await chown(path, 65_534, 65_534);
    staying.push(path);
  }
  await mkdir(join(state, "workspace"));
  staying.push(await put(join("workspace", "mine.0123456789ab.tmp")));
  await makeOld(state);
  staying.push(await put("being-written.0123456789ab.tmp"));
  await gateway.start();
  await untilSwept(gateway);
  for (const path of staying) assert.ok(await lstat(path), path);
  assert.deepEqual(temporary(await filesOf(state)).includes("gone.0123456789ab.tmp"), false);
});
