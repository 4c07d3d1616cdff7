// An update of a database that somebody would miss: what was there is kept, and nobody is left with a file that no program opens (R10).

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";

import fc from "fast-check";

import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { findForbidding } from "./database-migrations.ts";
import { listSnapshots, snapshotFolder } from "./database-snapshots.ts";
import { openKeptDatabase, type Migration, type Opener } from "./database.ts";

const root = mkdtempSync(join(tmpdir(), "database-update-"));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
/** Each in a folder of its own, as a state folder is. */
const nextFile = () => join(mkdtempSync(join(root, `${(count += 1)}-`)), "gateway.sqlite");

const first: Migration[] = [
  { id: "one", sql: "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT" },
];
const second: Migration[] = [
  ...first,
  { id: "two", sql: "ALTER TABLE notes ADD COLUMN at INTEGER NOT NULL DEFAULT 7" },
];
const third: Migration[] = [...second, { id: "three", minReader: "0.2.0", sql: "ALTER TABLE notes DROP COLUMN text" }];

const opener = (version: string, log?: Log): Opener => ({
  version,
  command: (words) => `product ${words}`,
  isAlone: true,
  ...(log ? { log } : {}),
});

function createLog() {
  const lines: [string, unknown][] = [];
  const take = (message: string, fields?: unknown) => void lines.push([message, fields]);
  const log: Log = { trace: take, debug: take, info: take, warn: take, error: take, child: () => log };
  return { log, lines };
}

/** With two rows, of version 0.1.0. */
async function makeFirst(path: string): Promise<void> {
  const database = await openKeptDatabase(path, first, opener("0.1.0"));
  await database.write((sql) => sql.run("INSERT INTO notes (text) VALUES ('a'), ('b')"));
  await database.close();
}

function look(path: string, sql: string): unknown[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row));
  } finally {
    db.close();
  }
}

const refusal = async (task: Promise<unknown>): Promise<Fault> => {
  const error = await task.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof Fault, String(error));
  assert.equal(error.code, "storage");
  return error;
};

test("a fresh database and one that is up to date have no snapshot, and the folder for them is not made", async () => {
  const path = nextFile();
  await makeFirst(path);
  await makeFirst(path);
  assert.deepEqual(readdirSync(join(path, "..")), ["gateway.sqlite"]);
});

test("before steps are applied to data, a whole copy of it is kept, closed to others; the log names it and the steps", async () => {
  const path = nextFile();
  await makeFirst(path);
  const { log, lines } = createLog();
  await (await openKeptDatabase(path, second, opener("0.2.0", log))).close();
  assert.deepEqual(look(path, "SELECT text, at FROM notes"), [
    ["a", 7],
    ["b", 7],
  ]);
  const [snapshot, ...more] = await listSnapshots(path);
  assert.ok(snapshot && more.length === 0);
  assert.equal(snapshot.before, "0.2.0");
  assert.ok(Math.abs(Date.now() - snapshot.at) < 60_000);
  assert.deepEqual(look(snapshot.path, "SELECT * FROM notes"), [
    [1, "a"],
    [2, "b"],
  ]);
  assert.deepEqual(look(snapshot.path, "PRAGMA integrity_check"), [["ok"]]);
  assert.equal(statSync(snapshot.path).mode & 0o777, 0o600);
  assert.equal(statSync(snapshotFolder(path)).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(snapshotFolder(path)).length, 1, "no side files");
  assert.deepEqual(lines, [["the database was brought up to date", { steps: ["two"], snapshot: snapshot.path }]]);
});

test("what other programs have written and not yet moved into the main file is in the copy", async () => {
  const path = nextFile();
  await makeFirst(path);
  const other = await openKeptDatabase(path, first, opener("0.1.0"));
  await other.write((sql) => sql.run("INSERT INTO notes (text) VALUES ('c')"));
  assert.ok(statSync(`${path}-wal`).size > 0);
  const updated = await openKeptDatabase(path, second, opener("0.2.0"));
  const [snapshot] = await listSnapshots(path);
  assert.deepEqual(look(snapshot?.path ?? "", "SELECT text FROM notes"), [["a"], ["b"], ["c"]]);
  // and the program of before goes on beside it
  await other.write((sql) => sql.run("INSERT INTO notes (text) VALUES ('d')"));
  assert.deepEqual(
    (await updated.read((sql) => sql.all("SELECT at FROM notes WHERE text = 'd'"))).map((row) => row["at"]),
    [7],
  );
  await updated.close();
  await other.close();
});

test("a step that fails leaves the file as it was; it says which step, where the copy is and what to type", async () => {
  const path = nextFile();
  await makeFirst(path);
  const broken = [...second, { id: "three", sql: "CREATE TABLE more (id INTEGER); INSERT INTO nowhere VALUES (1)" }];
  const before = look(path, "SELECT sql FROM sqlite_schema");
  const fault = await refusal(openKeptDatabase(path, broken, opener("0.2.0")));
  const [snapshot] = await listSnapshots(path);
  assert.match(
    fault.message,
    /could not be brought up to date: step three failed: no such table: (?:main\.)?nowhere$/u,
  );
  assert.ok(fault.message.includes(path));
  assert.ok(snapshot && fault.next?.includes(snapshot.path));
  assert.match(fault.next ?? "", /nothing was changed: version 0\.1\.0 works with it.*product doctor --only storage/u);
  assert.deepEqual(look(path, "SELECT sql FROM sqlite_schema"), before);
  await makeFirst(path);
  assert.equal(look(path, "SELECT * FROM notes").length, 4, "the version before goes on");
});

test("an update that fails again and again keeps one copy, and makes no other while nothing changes", async () => {
  const path = nextFile();
  await makeFirst(path);
  const broken = [...first, { id: "bad", sql: "INSERT INTO nowhere VALUES (1)" }];
  const kept = new Set<string>();
  for (let round = 0; round < 6; round += 1) {
    await refusal(openKeptDatabase(path, broken, opener("0.2.0")));
    const now = await listSnapshots(path);
    assert.equal(now.length, 1);
    kept.add(now[0]?.path ?? "");
  }
  assert.ok(kept.size <= 2, [...kept].join(" "));
  await makeFirst(path);
  await refusal(openKeptDatabase(path, broken, opener("0.2.0")));
  const [snapshot, ...more] = await listSnapshots(path);
  assert.equal(more.length, 0);
  assert.equal(look(snapshot?.path ?? "", "SELECT * FROM notes").length, 4, "what was written since is in it");
});

test("the three newest states of the tables are kept", async () => {
  const path = nextFile();
  await makeFirst(path);
  const steps = [...first];
  for (let minor = 2; minor < 8; minor += 1) {
    steps.push({ id: `step-${minor}`, sql: `ALTER TABLE notes ADD COLUMN c${minor} TEXT` });
    await (await openKeptDatabase(path, steps, opener(`0.${minor}.0`))).close();
  }
  assert.deepEqual(
    (await listSnapshots(path)).map(({ before }) => before),
    ["0.7.0", "0.6.0", "0.5.0"],
  );
});

test("what a killed program left of a copy is removed with the next one; files of others stay", async () => {
  const path = nextFile();
  await makeFirst(path);
  await (await openKeptDatabase(path, second, opener("0.2.0"))).close();
  const folder = snapshotFolder(path);
  const left = ["gateway-before-0.2.0-x.sqlite.tmp", "gateway-before-0.2.0-x.sqlite.tmp-journal", "mine.txt"];
  for (const name of left) writeFileSync(join(folder, name), "half");
  await (await openKeptDatabase(path, third, opener("0.3.0"))).close();
  const names = readdirSync(folder);
  assert.ok(names.includes("mine.txt"));
  assert.ok(!names.some((name) => name.includes(".tmp")), names.join(" "));
});

test("steps of a newer program that only add are left alone and told once; the older one reads and writes", async () => {
  const path = nextFile();
  await makeFirst(path);
  await (await openKeptDatabase(path, second, opener("0.2.0"))).close();
  const { log, lines } = createLog();
  const older = await openKeptDatabase(path, first, opener("0.1.0", log));
  await older.write((sql) => sql.run("INSERT INTO notes (text) VALUES ('by the older one')"));
  await older.close();
  assert.deepEqual(lines, [
    ["the database was used by a newer version; what that added is left alone", { steps: ["two"] }],
  ]);
  assert.equal((await listSnapshots(path)).length, 1);
  const again = await openKeptDatabase(path, second, opener("0.2.0"));
  assert.equal((await again.read((sql) => sql.all("SELECT * FROM notes"))).length, 3);
  await again.close();
});

test("a step that older programs cannot work with stops them, and says what to install or what to type", async () => {
  const path = nextFile();
  await makeFirst(path);
  await (await openKeptDatabase(path, second, opener("0.2.0"))).close();
  await (await openKeptDatabase(path, third, opener("0.3.0"))).close();
  const before = readFileSync(path);
  const fault = await refusal(openKeptDatabase(path, first, opener("0.1.0")));
  assert.match(
    fault.message,
    /changed by a newer version \(three of 0\.3\.0\), and version 0\.1\.0 cannot work with it/u,
  );
  const [newest] = await listSnapshots(path);
  assert.equal(newest?.before, "0.3.0");
  assert.match(fault.next ?? "", /^install version 0\.2\.0 or newer; or, to go back to the data of 20/u);
  assert.ok(fault.next?.endsWith(`product backup restore ${newest.path}`), fault.next);
  await refusal(openKeptDatabase(path, first, { command: (words) => words }));
  assert.deepEqual(readFileSync(path), before, "it was not touched");
  // the one that the mark names does not know the step either, and works
  await (await openKeptDatabase(path, second, opener("0.2.0"))).close();
});

test("beside a Gateway that may be older, a step that it could not go on with is left to the next start", async () => {
  const path = nextFile();
  await makeFirst(path);
  const beside: Opener = { ...opener("0.3.0"), isAlone: false };
  await (await openKeptDatabase(path, second, beside)).close();
  const fault = await refusal(openKeptDatabase(path, third, beside));
  assert.match(
    `${fault.message} ${fault.next}`,
    /by a Gateway of this version first.*start this one with product gateway/u,
  );
  await makeFirst(path);
  await (await openKeptDatabase(path, third, opener("0.3.0"))).close();
  await (await openKeptDatabase(path, third, beside)).close();
});

test("without a copy to go back to, the refusal names a backup", async () => {
  const path = nextFile();
  await (await openKeptDatabase(path, third, opener("0.3.0"))).close();
  const fault = await refusal(openKeptDatabase(path, first, opener("0.1.0")));
  assert.match(fault.next ?? "", /bring back a backup from before that: product backup restore <file>$/u);
});

test("a database of the programs that kept neither version nor mark is taken on", async () => {
  const path = nextFile();
  const db = new DatabaseSync(path);
  db.exec(
    "CREATE TABLE migrations (id TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT; INSERT INTO migrations VALUES ('one', 1); CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT; INSERT INTO notes VALUES (1, 'old')",
  );
  db.close();
  const same = await openKeptDatabase(path, first, opener("0.1.0"));
  await same.close();
  assert.equal((await listSnapshots(path)).length, 0, "it lacks nothing");
  await (await openKeptDatabase(path, third, opener("0.3.0"))).close();
  assert.deepEqual(look(path, "SELECT id, min_reader, applied_by FROM migrations"), [
    ["one", null, null],
    ["two", null, "0.3.0"],
    ["three", "0.2.0", "0.3.0"],
  ]);
  assert.equal((await listSnapshots(path)).length, 1);
});

test("a damaged database is not updated, and what is wrong with it is told", async () => {
  const path = nextFile();
  await makeFirst(path);
  const filled = await openKeptDatabase(path, first, opener("0.1.0"));
  await filled.write((sql) =>
    sql.run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO notes (text) SELECT hex(randomblob(20)) FROM n",
    ),
  );
  await filled.close();
  const bytes = readFileSync(path);
  bytes.fill(0xa5, 20 * 4096, 23 * 4096);
  writeFileSync(path, bytes);
  const fault = await refusal(openKeptDatabase(path, second, opener("0.2.0")));
  assert.match(fault.message, /no snapshot of .* could be made before the update: the database is not whole: /u);
  assert.deepEqual(readFileSync(path), bytes);
  assert.deepEqual(
    readdirSync(snapshotFolder(path)).filter((name) => name.includes("before")),
    [],
  );
});

test("while another program writes, the update says to try again and changes nothing", async () => {
  const path = nextFile();
  await makeFirst(path);
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  const fault = await refusal(openKeptDatabase(path, second, opener("0.2.0")));
  other.exec("ROLLBACK");
  other.close();
  assert.match(`${fault.message} ${fault.next}`, /another program works on the database.*try again/u);
});

/** Opens in a process of its own, behind a limit or on a disk of a size. */
function openWithin(shell: string, path: string) {
  const script = join(root, "open.mjs");
  writeFileSync(
    script,
    `import { openKeptDatabase } from ${JSON.stringify(join(import.meta.dirname, "database.ts"))};
     try {
       await (await openKeptDatabase(process.argv[2], ${JSON.stringify(second)}, { version: "0.2.0", command: (words) => words })).close();
       console.log("open");
     } catch (error) {
       console.log(error.code + ": " + error.message + "; " + error.next);
     }`,
  );
  const { stdout, stderr } = spawnSync("bash", ["-c", `${shell} "$0" "$@"`, process.execPath, script, path], {
    encoding: "utf8",
  });
  return `${stdout}${stderr}`;
}

async function fill(path: string): Promise<void> {
  const database = await openKeptDatabase(path, first, opener("0.1.0"));
  await database.write((sql) =>
    sql.run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO notes (text) SELECT hex(randomblob(1000)) FROM n",
    ),
  );
  await database.close();
}

test(
  "a disk that refuses the copy stops the update, nothing is changed or left behind, and with room it goes on",
  { skip: process.platform === "win32" },
  async () => {
    const path = nextFile();
    await fill(path);
    const before = look(path, "SELECT count(*), sum(length(text)) FROM notes");
    // no file above 2 MB, and the database has four
    const told = openWithin("ulimit -f 2048; exec", path);
    assert.match(
      told,
      /^storage: no snapshot of .* could be made before the update: .*; nothing was changed.*make room/u,
    );
    assert.deepEqual(readdirSync(snapshotFolder(path)), []);
    assert.deepEqual(look(path, "SELECT id FROM migrations"), [["one"]]);
    assert.deepEqual(look(path, "SELECT count(*), sum(length(text)) FROM notes"), before);
    assert.match(openWithin("exec", path), /^open$/mu);
    assert.equal((await listSnapshots(path)).length, 1);
  },
);

const hasMounts =
  process.platform === "linux" && spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", root]).status === 0;

test(
  "a disk that is too full for a copy is told beforehand, with how much is missing",
  { skip: !hasMounts },
  async () => {
    const path = nextFile();
    await fill(path);
    const disk = join(root, "disk");
    const script = `unshare -rm bash -c 'mkdir -p ${disk} && mount -t tmpfs -o size=12m tmpfs ${disk} && cp ${path} ${disk}/gateway.sqlite && "$0" "$1" ${disk}/gateway.sqlite; ls ${disk}/snapshots'`;
    const told = openWithin(script, path);
    assert.match(told, /^storage: the disk has no room for a snapshot .*: it needs \d+ MB, and \d+ MB are left/u);
    assert.match(told, /nothing was changed.*make room and start again\n$/u);
  },
);

test("versions are compared by their numbers, and one without any is older than every mark", () => {
  const step = (minReader: string) => ({ id: "x", minReader, appliedBy: undefined, appliedAt: 0 });
  const part = fc.nat(30);
  const version = fc.tuple(part, part, part);
  fc.assert(
    fc.property(version, version, (own, least) => {
      const at = least.findIndex((number, index) => number !== own[index]);
      const isForbidden = at !== -1 && (own[at] ?? 0) < (least[at] ?? 0);
      assert.equal(findForbidding([step(least.join("."))], own.join(".")).length, isForbidden ? 1 : 0);
      assert.equal(findForbidding([step(least.join("."))], `${own.join(".")}-beta.1`).length, isForbidden ? 1 : 0);
    }),
  );
  for (const unclear of [undefined, "dev", "", "1", "1.2.3.4"])
    assert.equal(findForbidding([step("0.0.1")], unclear).length, 1, unclear);
});
