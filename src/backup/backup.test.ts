import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { gunzipSync } from "node:zlib";

import { createManualClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { openDatabase } from "../platform/database.ts";
import { createBackup, type CreateOptions } from "./create.ts";
import { finishRestore, planRestore, restoreBackup, undoRestore } from "./restore.ts";
import { verifyBackup } from "./verify.ts";

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "backup-"));
});
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

const clock = createManualClock();
const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex").slice(0, 12);

async function put(path: string, text: string | Uint8Array, mode = 0o600): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
  await chmod(path, mode);
}

async function makeState(name = "state", rows = 50): Promise<void> {
  await put(at(name, "openclaw.json"), '{ gateway: { $include: "./parts/gateway.json5" } }');
  await put(at(name, "parts", "gateway.json5"), '{ mode: "local" }');
  await put(at(name, "credentials", "gateway-token"), `token of ${name}`);
  await put(at(name, "identity", "device.json"), "{}");
  await put(at(name, "logs", "gateway.log"), "a line");
  await put(at(name, "workspace", "AGENTS.md"), `be kind, ${name}`);
  const db = new DatabaseSync(at(name, "gateway.sqlite"));
  db.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER, v TEXT)");
  for (let n = 0; n < rows; n += 1) db.prepare("INSERT INTO t VALUES (?, ?)").run(n, `${name} ${n}`);
  db.close();
  await put(at(name, "gateway.lock"), "");
}

const placesOf = (name = "state") => ({
  state: at(name),
  config: at(name, "openclaw.json"),
  workspaces: [at(name, "workspace")],
});

const create = (more: Partial<CreateOptions> = {}) =>
  createBackup({
    places: placesOf(),
    scope: "all",
    hasWorkspaces: false,
    output: at("backups", "b.tar.gz"),
    product: { name: "openclaw", version: "1.2.3" },
    profile: undefined,
    isVerified: true,
    clock,
    pid: process.pid,
    isAlive: () => true,
    ...more,
  });

const restoreOptions = (name: string, archive = at("backups", "b.tar.gz")) => ({
  archive,
  places: placesOf(name),
  lock: at(name, "gateway.lock"),
  clock,
});

async function restore(name: string, archive?: string): Promise<void> {
  const options = restoreOptions(name, archive);
  await restoreBackup(await planRestore(options), options);
}

async function tree(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .toSorted();
}

const rowsIn = (path: string) => {
  const db = new DatabaseSync(path);
  const rows = db.prepare("SELECT v FROM t ORDER BY n").all();
  db.close();
  return rows.map(({ v }) => v);
};

test("a backup holds config, includes, database, credentials and identity; no log, no lock, no workspace", async () => {
  await makeState();
  const { manifest, bytes } = await create();
  assert.deepEqual(manifest.files.map(({ path }) => path).toSorted(), [
    "config/openclaw.json",
    "config/parts/gateway.json5",
    "state/credentials/gateway-token",
    "state/gateway.sqlite",
    "state/identity/device.json",
  ]);
  const file = await stat(at("backups", "b.tar.gz"));
  assert.equal(file.size, bytes);
  assert.equal(file.mode & 0o777, 0o600);
  assert.deepEqual(await readdir(at("backups")), ["b.tar.gz"], "nothing is left beside it");
  assert.deepEqual((await verifyBackup(at("backups", "b.tar.gz"), { temporary: folder })).problems, []);
});

test("restored into an empty folder it is the same, closed to others", async () => {
  await makeState();
  await create({ hasWorkspaces: true });
  await restore("other");
  assert.deepEqual(rowsIn(at("other", "gateway.sqlite")), rowsIn(at("state", "gateway.sqlite")));
  for (const path of ["openclaw.json", "parts/gateway.json5", "credentials/gateway-token", "workspace/AGENTS.md"]) {
    assert.equal(await readFile(at("other", path), "utf8"), await readFile(at("state", path), "utf8"), path);
    assert.equal((await stat(at("other", path))).mode & 0o077, 0, path);
  }
  assert.equal((await stat(at("other", "credentials"))).mode & 0o777, 0o700);
});

test("what a restore replaces is kept, side files of the database too, and can be put back", async () => {
  await makeState();
  await create();
  await makeState("other", 3);
  await put(at("other", "gateway.sqlite-wal"), "of the old database");
  await put(at("other", "extra.json"), "{}");
  const before = await tree(at("other"));
  await restore("other");
  assert.equal(rowsIn(at("other", "gateway.sqlite")).length, 50);
  const now = await readdir(at("other"));
  assert.ok(!now.includes("gateway.sqlite-wal"), "a stranger's write-ahead log would damage the database");
  assert.ok(!now.includes("extra.json"));
  assert.equal(await readFile(at("other", "logs", "gateway.log"), "utf8"), "a line");
  assert.equal(await readFile(at("other", "workspace", "AGENTS.md"), "utf8"), "be kind, other");

  await clock.advance(1_000);
  await undoRestore(restoreOptions("other"));
  const after = (await tree(at("other"))).filter((path) => !path.startsWith("before-restore-"));
  assert.deepEqual(after, before);
  assert.equal(await readFile(at("other", "gateway.sqlite-wal"), "utf8"), "of the old database");
  await clock.advance(1_000);
  await undoRestore(restoreOptions("other"));
  assert.equal(rowsIn(at("other", "gateway.sqlite")).length, 50, "and the undoing undone");
});

test("a config backup changes the config and its includes alone", async () => {
  await makeState();
  await create({ scope: "config" });
  await makeState("other", 3);
  await put(at("other", "openclaw.json"), "{ broken");
  await put(at("other", "parts", "mine.json5"), "{}");
  await restore("other");
  assert.equal(rowsIn(at("other", "gateway.sqlite")).length, 3);
  assert.equal(
    await readFile(at("other", "openclaw.json"), "utf8"),
    await readFile(at("state", "openclaw.json"), "utf8"),
  );
  assert.equal(await readFile(at("other", "parts", "mine.json5"), "utf8"), "{}");
});

test("a config outside of the state comes and goes as well, under the name that is looked for", async () => {
  await makeState();
  await put(at("etc", "a.json"), "{ gateway: { mode: 'local' } }");
  await create({ places: { ...placesOf(), config: at("etc", "a.json") } });
  const options = restoreOptions("other");
  const places = { ...options.places, config: at("elsewhere", "b.json") };
  await restoreBackup(await planRestore({ ...options, places }), { ...options, places });
  assert.deepEqual(await tree(at("elsewhere")), ["b.json"]);
  assert.ok((await readdir(at("other"))).includes("openclaw.json"), "the other config file is a file of the state");
});

test("links are named, not followed; a config that is a link is what it leads to", async () => {
  await makeState();
  await put(at("outside", "secret"), "not ours");
  await symlink(at("outside", "secret"), at("state", "credentials", "link"));
  await symlink(at("outside"), at("state", "folder"));
  await put(at("dotfiles", "openclaw.json"), "{ gateway: { mode: 'local' } }");
  await rm(at("state", "openclaw.json"));
  await symlink(at("dotfiles", "openclaw.json"), at("state", "openclaw.json"));
  const { manifest } = await create();
  assert.ok(!JSON.stringify(manifest.files).includes("secret"));
  assert.ok(
    manifest.skipped.includes(at("state", "folder")) && manifest.skipped.includes(at("state", "credentials", "link")),
  );

  await put(at("dotfiles", "openclaw.json"), "{}");
  await restore("state");
  assert.equal(await readFile(at("dotfiles", "openclaw.json"), "utf8"), "{ gateway: { mode: 'local' } }");
  assert.equal(await readFile(at("state", "openclaw.json"), "utf8"), "{ gateway: { mode: 'local' } }");
  assert.equal(await readFile(at("outside", "secret"), "utf8"), "not ours");
});

test("T5: of 200 bits flipped in the archive each one is noticed, and nothing of it is restored", async () => {
  await makeState();
  await create();
  const whole = await readFile(at("backups", "b.tar.gz"));
  const total = whole.length * 8;
  // the ends, where gzip itself checks nothing, and places all over
  const bits = [...Array(60).keys(), ...Array.from({ length: 60 }, (_, index) => total - 1 - index * 3)];
  while (bits.length < 200) bits.push(Math.floor(Math.random() * total));
  const path = at("flipped.tar.gz");
  for (const bit of bits) {
    const copy = Buffer.from(whole);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    await writeFile(path, copy);
    const { problems } = await verifyBackup(path, { temporary: undefined });
    assert.notDeepEqual(problems, [], `bit ${bit} of ${total}`);
    await assert.rejects(planRestore(restoreOptions("other", path)), (error: unknown) => error instanceof Fault);
  }
  assert.deepEqual(await readdir(folder).then((names) => names.includes("other")), false);
});

test("a damaged file is named, when the rest can be read", async () => {
  await makeState();
  await create();
  const { writeSealed } = await import("./seal.ts");
  const { open } = await import("node:fs/promises");
  const contents = gunzipSync(await readFile(at("backups", "b.tar.gz")));
  const offset = contents.indexOf("token of state");
  contents[offset] = 84;
  const file = await open(at("changed.tar.gz"), "w");
  await writeSealed(
    file,
    (async function* whole() {
      yield contents;
    })(),
  );
  await file.close();
  assert.deepEqual((await verifyBackup(at("changed.tar.gz"), { temporary: undefined })).problems, [
    "state/credentials/gateway-token: its contents are not what was backed up",
  ]);
});

test("a database that SQLite finds damaged is neither backed up nor taken for good in a backup", async () => {
  await makeState("state", 5_000);
  const path = at("state", "gateway.sqlite");
  const bytes = await readFile(path);
  bytes.fill(0xff, 4_096 * 3, 4_096 * 5);
  await writeFile(path, bytes);
  await assert.rejects(create(), /the database .*gateway\.sqlite(?:: | is damaged)/u);
  assert.deepEqual(await readdir(at("backups")), []);
  await create({ isVerified: false });
  const { problems } = await verifyBackup(at("backups", "b.tar.gz"), { temporary: folder });
  assert.match(problems[0] ?? "", /^state\/gateway\.sqlite: /u);
  await assert.rejects(restore("other"), /cannot be restored: state\/gateway\.sqlite/u);
  assert.deepEqual(await tree(at("other")), ["gateway.lock"]);
});

test("what killed backups left is swept; a live one's is not", async () => {
  await makeState();
  const left = at("backups", ".b.tar.gz.4242-0123456789ab.backup-tmp");
  const live = at("backups", ".c.tar.gz.4343-0123456789ab.backup-tmp");
  await mkdir(left, { recursive: true });
  await put(join(left, "copy"), "half");
  await put(live, "half");
  await create({ isAlive: (pid) => pid === 4343 });
  assert.deepEqual((await readdir(at("backups"))).toSorted(), [".c.tar.gz.4343-0123456789ab.backup-tmp", "b.tar.gz"]);
});

test("it neither writes over another file nor into what it backs up", async () => {
  await makeState();
  await create();
  await assert.rejects(create(), /is there already/u);
  await assert.rejects(create({ output: at("state", "credentials", "b.tar.gz") }), /is part of what is backed up/u);
  await assert.rejects(create({ output: at("state", "b.tar.gz") }), /is part of what is backed up/u);
  const inWorkspace = { output: at("state", "workspace", "b.tar.gz") };
  await assert.rejects(create({ ...inWorkspace, hasWorkspaces: true }), /is part of what is backed up/u);
  await create(inWorkspace);
});

test("killed at any step of a restore, the next command finds the old or the new state, whole", async () => {
  await makeState();
  await create({ hasWorkspaces: true });
  const script = at("restore.ts");
  const source = (name: string) => JSON.stringify(join(import.meta.dirname, name));
  await writeFile(
    script,
    `import { planRestore, restoreBackup } from ${source("restore.ts")};
import { systemClock } from ${source("../base/clock.ts")};
const options = { ...JSON.parse(process.argv[2]), clock: systemClock };
let left = Number(process.argv[3]);
const step = () => { if (left-- === 0) process.kill(process.pid, "SIGKILL"); };
await restoreBackup(await planRestore(options), { ...options, step });
`,
  );
  const { clock: _, ...options } = restoreOptions("other");
  const contents = async () => {
    const paths = (await tree(at("other"))).filter((path) => !/\bbefore-restore-|^logs|\.lock|-wal$|-shm$/u.test(path));
    const texts = paths.map(async (path) => `${path}: ${digest(await readFile(at("other", path)))}`);
    return Promise.all(texts);
  };
  const endings: string[] = [];
  for (let step = 0; ; step += 1) {
    await rm(at("other"), { recursive: true, force: true });
    await makeState("other", 3);
    await put(at("other", "extra.json"), "{}");
    const old = await contents();
    const { signal } = spawnSync(process.execPath, [script, JSON.stringify(options), String(step)], {
      stdio: "inherit",
    });
    await finishRestore(at("other"), at("other", "gateway.lock"));
    const now = await contents();
    const isOld = isDeepStrictEqual(now, old);
    if (!isOld) {
      assert.equal(rowsIn(at("other", "gateway.sqlite")).length, 50, `step ${step}`);
      assert.ok(!now.some((text) => text.startsWith("extra.json") || text.startsWith(".restore")), now.join("\n"));
      assert.equal(await readFile(at("other", "workspace", "AGENTS.md"), "utf8"), "be kind, state");
      await clock.advance(1_000);
      await undoRestore(restoreOptions("other"));
      assert.deepEqual(await contents(), old, `step ${step}: what was replaced is kept whole`);
    }
    endings.push(isOld ? "old" : "new");
    if (signal === null) break;
  }
  assert.equal(endings[0], "old");
  assert.ok(endings.length > 15 && endings.slice(1).every((ending) => ending === "new"), endings.join(" "));
});

const gatewayRows = (path: string) => {
  const db = new DatabaseSync(path);
  const rows = db.prepare("SELECT text FROM notes ORDER BY id").all();
  db.close();
  return rows.map(({ text }) => text);
};

test("killed at any step of going back to a snapshot, the next command finds the old database or the snapshot, each with its side files", async () => {
  const migrations = [{ id: "one", sql: "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)" }];
  const make = async (path: string, texts: readonly string[]) => {
    const database = openDatabase(path, migrations);
    await database.write((sql) => texts.forEach((text) => sql.run("INSERT INTO notes (text) VALUES (?)", text)));
    return database;
  };
  await mkdir(at("state"), { recursive: true });
  await (await make(at("snapshot.sqlite"), ["of the snapshot"])).close();
  const database = at("state", "gateway.sqlite");
  const script = at("restore-snapshot.ts");
  const source = (name: string) => JSON.stringify(join(import.meta.dirname, name));
  await writeFile(
    script,
    `import { restoreSnapshot } from ${source("snapshot.ts")};
import { systemClock } from ${source("../base/clock.ts")};
let left = Number(process.argv[3]);
const step = () => { if (left-- === 0) process.kill(process.pid, "SIGKILL"); };
await restoreSnapshot({ ...JSON.parse(process.argv[2]), clock: systemClock, step });
`,
  );
  const lock = at("state", "gateway.lock");
  const endings: string[] = [];
  for (let step = 0; ; step += 1) {
    await rm(at("state"), { recursive: true, force: true });
    await mkdir(at("state", "logs"), { recursive: true });
    await put(at("state", "openclaw.json"), "{}");
    // as a killed program leaves it: what it wrote is in the side file alone
    const living = await make(at("killed.sqlite"), ["old", "and newest"]);
    for (const end of ["", "-wal"])
      await writeFile(`${database}${end}`, await readFile(`${at("killed.sqlite")}${end}`));
    await living.close();
    const options = JSON.stringify({ file: at("snapshot.sqlite"), database, lock });
    const { signal } = spawnSync(process.execPath, [script, options, String(step)], { stdio: "inherit" });
    await finishRestore(at("state"), lock);
    const isNew =
      existsSync(database) && (await readdir(at("state"))).some((name) => name.startsWith("before-restore-"));
    assert.deepEqual(gatewayRows(database), isNew ? ["of the snapshot"] : ["old", "and newest"], `step ${step}`);
    if (isNew) {
      await clock.advance(1_000);
      await undoRestore({ places: placesOf(), lock, clock });
      assert.deepEqual(gatewayRows(database), ["old", "and newest"], `step ${step}: put back`);
    }
    assert.equal(await readFile(at("state", "openclaw.json"), "utf8"), "{}");
    assert.ok(!existsSync(at("state", ".restore")));
    endings.push(isNew ? "new" : "old");
    for (const end of ["", "-wal", "-shm"]) await rm(`${at("killed.sqlite")}${end}`, { force: true });
    if (signal === null) break;
  }
  assert.equal(endings[0], "old");
  assert.ok(endings.length > 4 && endings.slice(1).every((ending) => ending === "new"), endings.join(" "));
});

test("snapshots are in no backup, stay when one is restored, and go with the conversations", async () => {
  await makeState();
  await put(at("state", "snapshots", "gateway-before-2.0.0-20260101T000000000Z.sqlite"), "kept");
  const { manifest } = await create();
  assert.ok(!manifest.files.some(({ path }) => path.includes("snapshots")));
  await restore("state");
  assert.equal((await readdir(at("state", "snapshots"))).length, 1);
  const { planRemoval } = await import("./removal.ts");
  const plan = async (part: "sessions" | "config") =>
    planRemoval({
      places: placesOf(),
      parts: new Set([part]),
      home: folder,
      stateNames: ["state"],
      configNames: ["openclaw.json"],
      clock,
    });
  assert.ok((await plan("sessions")).moves.some(({ from }) => from === at("state", "snapshots")));
  assert.ok(!(await plan("config")).moves.some(({ from }) => from === at("state", "snapshots")));
});

test("paths that lead out, come twice or are no files are refused, and nothing is written", async () => {
  const { renderTarHeader, tarEnd } = await import("./tar.ts");
  const { writeSealed } = await import("./seal.ts");
  const { open } = await import("node:fs/promises");
  const header = (path: string) => renderTarHeader({ path, kind: "file", size: 0, mode: 0o600 });
  const link = header("state/link");
  link[156] = "2".charCodeAt(0);
  const evil = [
    ...["../x", "/etc/x", "state/../../x", "state//x", "state/./x", "x", "config", "C:/x", "state/a\\..\\x"].map(
      (path) => [header(path)],
    ),
    [header(`state/${"../".repeat(60)}x`)],
    [header("state/a"), header("state/a")],
    [link],
  ];
  for (const blocks of evil) {
    const file = await open(at("evil.tar.gz"), "w");
    await writeSealed(
      file,
      (async function* whole() {
        yield Buffer.concat([...blocks, tarEnd()]);
      })(),
    );
    await file.close();
    const { problems } = await verifyBackup(at("evil.tar.gz"), { temporary: undefined });
    assert.match(problems[0] ?? "", /leads out|comes twice|neither a file|damaged/u);
    await assert.rejects(planRestore(restoreOptions("other", at("evil.tar.gz"))), /cannot be restored/u);
  }
  assert.deepEqual(await readdir(folder), ["evil.tar.gz"]);
});

test("a place that only the archive names is not written to", async () => {
  await makeState();
  await put(at("secret-place", "AGENTS.md"), "a");
  await create({
    places: { ...placesOf(), workspaces: [at("state", "workspace"), at("secret-place")] },
    hasWorkspaces: true,
  });
  const { roots } = await planRestore(restoreOptions("other"));
  assert.deepEqual(
    roots.map((root) => root.folder),
    [at("other"), at("other"), at("other", "workspace"), at("other", "workspace-restored-1")],
  );
});

test("a backup of a newer format is told as such", async () => {
  await makeState();
  await create();
  const path = at("backups", "b.tar.gz");
  const bytes = await readFile(path, "latin1");
  const newer = bytes.replace(/gateway-backup 1 /u, "gateway-backup 2 ");
  await writeFile(path, newer, "latin1");
  await assert.rejects(verifyBackup(path, { temporary: undefined }), /made by a newer program \(format 2/u);
});
