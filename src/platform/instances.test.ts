import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";

import fc from "fast-check";

import { systemClock } from "../base/clock.ts";
import { systemIds } from "../base/ids.ts";
import { findConflicts } from "./instance-conflicts.ts";
import { createInstances, parseStored, type Instance } from "./instances.ts";
import { createProcessTable } from "./process-table.ts";
import { createRunProcess } from "./process.ts";

const folders: string[] = [];
let folder: string;
beforeEach(async () => {
  const made = await mkdtemp(join(tmpdir(), "instances-"));
  folders.push(made);
  folder = join(made, "deep", "gateways");
});
after(() => Promise.all(folders.map((it) => rm(it, { recursive: true, force: true }))));

const processes = createProcessTable({ run: createRunProcess(systemClock), platform: process.platform });
const open = (options: Partial<Parameters<typeof createInstances>[0]> = {}) =>
  createInstances({ folder, processes, newId: () => systemIds.secret(4), ...options });
const instance = (changes: Partial<Instance> = {}): Instance => ({
  pid: process.pid,
  brand: "openclaw",
  version: "1.2.3",
  profile: "a",
  startedAt: 1,
  ports: { gateway: 19_001, browserControl: 19_003, extensionRelay: 19_004, canvas: 19_005 },
  state: "/h/.openclaw-a",
  config: "/h/.openclaw-a/openclaw.json",
  workspace: "/h/.openclaw/workspace-a",
  log: "/tmp/openclaw/openclaw-a",
  isService: false,
  ...changes,
});
const posix = { skip: process.platform === "win32" ? "no modes there" : false };

test("R40: what was registered is listed until it leaves, with all that it said", async () => {
  const instances = open();
  assert.deepEqual(await instances.list(), []);
  const leave = await instances.register(instance());
  assert.deepEqual(await instances.list(), [instance()]);
  await leave();
  assert.deepEqual([await instances.list(), await readdir(folder)], [[], []]);
  await leave();
});

test("folder and files are its user's alone", posix, async () => {
  await open().register(instance());
  const [name = ""] = await readdir(folder);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
});

test("a folder that others may write to, and a link, are not believed", posix, async () => {
  const instances = open();
  await instances.register(instance());
  await chmod(folder, 0o770);
  assert.deepEqual(await instances.list(), []);
  await assert.rejects(instances.register(instance()), /only this user may write/u);
  await chmod(folder, 0o700);
  assert.equal((await instances.list()).length, 1);
  await symlink(folder, `${folder}-link`);
  assert.deepEqual(await open({ folder: `${folder}-link` }).list(), []);
});

test("who was killed is neither listed nor kept", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6); console.log(1)"]);
  await once(child.stdout, "data");
  await open().register(instance({ pid: child.pid ?? 0 }));
  await open().register(instance());
  assert.equal((await open().list()).length, 2);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.deepEqual(await open().list(), [instance()]);
  assert.equal((await readdir(folder)).length, 1);
});

test("T28: another process with the id of a dead one is not taken for it", async () => {
  const stamps = ["first", "second"];
  const recycled = { isAlive: async () => true, stampOf: async () => stamps[0] };
  const instances = open({ processes: recycled });
  await instances.register(instance());
  assert.equal((await instances.list()).length, 1);
  stamps.shift();
  assert.deepEqual([await instances.list(), await readdir(folder)], [[], []]);
});

test("a file of another machine is left to that one", async () => {
  const instances = open();
  await instances.register(instance({ pid: 2 ** 22 - 1 }));
  const [name = ""] = await readdir(folder);
  const text = await readFile(join(folder, name), "utf8");
  await writeFile(join(folder, name), text.replace(/"host":"[^"]*"/u, '"host":"elsewhere"'));
  assert.deepEqual(await instances.list(), []);
  assert.equal((await readdir(folder)).length, 1);
});

test("half a file, a stranger's and a newer one's are passed over", async () => {
  const instances = open();
  await instances.register(instance());
  const whole = await readFile(join(folder, (await readdir(folder))[0] ?? ""), "utf8");
  await writeFile(join(folder, "half.json"), whole.slice(0, whole.length / 2));
  await writeFile(join(folder, "other.json"), '{"hello":1}');
  await writeFile(join(folder, "newer.json"), whole.replace('"gateway":19001', '"gateway":"many"'));
  assert.equal((await instances.list()).length, 1);
  fc.assert(fc.property(fc.string(), (noise) => parseStored(noise) === undefined));
  fc.assert(fc.property(fc.json(), (noise) => parseStored(noise) === undefined));
});

test("MG-07: what two Gateways share is told with what to do; nothing shared is nothing told", () => {
  const other = instance({
    pid: 7,
    profile: "b",
    state: "/h/.openclaw-b",
    config: "/h/b.json",
    workspace: "/h/w",
    log: "/tmp/openclaw/openclaw-b",
    ports: { gateway: 20_000 },
  });
  assert.deepEqual(findConflicts(instance(), other, "OPENCLAW"), []);
  const all = findConflicts(instance(), { ...instance(), pid: 7, state: other.state }, "OPENCLAW");
  assert.deepEqual(
    all.map(({ kind }) => kind),
    ["config", "workspace", "log", "ports"],
  );
  for (const { message, next } of all) {
    assert.match(message, /the Gateway of profile a \(pid 7, port 19001\)/u);
    assert.ok(next.length > 0);
  }
  assert.match(all[0]?.next ?? "", /OPENCLAW_CONFIG_PATH/u);
});
