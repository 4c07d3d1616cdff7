import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { Fault } from "../base/fault.ts";
import { openDatabase, type Migration } from "./database.ts";

const root = mkdtempSync(join(tmpdir(), "database-"));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const nextFile = () => join(root, `${(count += 1)}.sqlite`);
const migrations: Migration[] = [
  { id: "one", sql: "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT" },
];

test("it is written ahead and synced in full, so a resolved write is on the disk", async () => {
  const database = openDatabase(nextFile(), migrations);
  const pragmas = await database.read((sql) => [sql.get("PRAGMA journal_mode"), sql.get("PRAGMA synchronous")]);
  assert.deepEqual(
    pragmas.map((row) => Object.values(row ?? {})[0]),
    ["wal", 2],
  );
  await database.close();
});

test("a failing write undoes itself and not those that arrived with it", async () => {
  const database = openDatabase(nextFile(), migrations);
  const insert = (text: string, isBroken = false) =>
    database.write((sql) => {
      sql.run("INSERT INTO notes (text) VALUES (?)", text);
      if (isBroken) throw new Fault("invalid_params", "no");
      return text;
    });
  const results = await Promise.allSettled([insert("a"), insert("b", true), insert("a"), insert("c")]);
  assert.deepEqual(
    results.map((result) => result.status),
    ["fulfilled", "rejected", "rejected", "fulfilled"],
  );
  assert.deepEqual(
    await database.read((sql) => sql.all("SELECT text FROM notes ORDER BY id").map((row) => row["text"])),
    ["a", "c"],
  );
  await database.close();
});

test("a migration that fails leaves the file as it was", async () => {
  const path = nextFile();
  const first = openDatabase(path, migrations);
  await first.write((sql) => sql.run("INSERT INTO notes (text) VALUES ('kept')"));
  await first.close();

  const broken = [...migrations, { id: "two", sql: "CREATE TABLE extra (id INTEGER); INSERT INTO nowhere VALUES (1)" }];
  assert.throws(
    () => openDatabase(path, broken),
    (error) => error instanceof Fault && error.code === "storage",
  );
  const again = openDatabase(path, migrations);
  assert.deepEqual(await again.read((sql) => sql.all("SELECT name FROM sqlite_master WHERE name = 'extra'")), []);
  assert.equal((await again.read((sql) => sql.get("SELECT text FROM notes")))?.["text"], "kept");
  await again.close();
});

test("migrations run once and in order", async () => {
  const path = nextFile();
  await openDatabase(path, migrations).close();
  const more = [...migrations, { id: "two", sql: "ALTER TABLE notes ADD COLUMN at INTEGER" }];
  await openDatabase(path, more).close();
  const database = openDatabase(path, more);
  assert.deepEqual(await database.read((sql) => sql.all("SELECT id FROM migrations").map((row) => row["id"])), [
    "one",
    "two",
  ]);
  await database.close();
});

test("a closed database refuses, and closing writes what was waiting", async () => {
  const path = nextFile();
  const database = openDatabase(path, migrations);
  const waiting = database.write((sql) => sql.run("INSERT INTO notes (text) VALUES ('last')"));
  await database.close();
  await waiting;
  await assert.rejects(
    database.write(() => 1),
    Fault,
  );
  await assert.rejects(
    database.read(() => 1),
    Fault,
  );
  const again = openDatabase(path, migrations);
  assert.equal((await again.read((sql) => sql.all("SELECT * FROM notes"))).length, 1);
  await again.close();
});

test("a folder that cannot be written gives a Fault that says what to do", () => {
  assert.throws(
    () => openDatabase(join(root, "no", "such", "folder.sqlite"), migrations),
    (error) => error instanceof Fault && /writable/u.test(error.next ?? ""),
  );
});

test("what a killed process was told is written is there", async () => {
  const path = nextFile();
  const script = join(root, "writer.mjs");
  writeFileSync(
    script,
    `import { openDatabase } from ${JSON.stringify(join(import.meta.dirname, "database.ts"))};
     import { writeSync } from "node:fs";
     const database = openDatabase(${JSON.stringify(path)}, ${JSON.stringify(migrations)});
     for (let n = Number(process.argv[2]); ; n += 1) {
       await database.write((sql) => sql.run("INSERT INTO notes (text) VALUES (?)", String(n)));
       writeSync(1, n + "\\n");
     }`,
  );
  const told: string[] = [];
  for (let round = 0; round < 4; round += 1) {
    const child = spawn(process.execPath, [script, String(round * 1_000_000)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (data: Buffer) => {
      output += data.toString();
      // at another place in every round
      if (output.length > 200 + round * 97) child.kill("SIGKILL");
    });
    await once(child, "close");
    told.push(...output.split("\n").slice(0, -1));
  }
  const database = openDatabase(path, migrations);
  const written = new Set(await database.read((sql) => sql.all("SELECT text FROM notes").map((row) => row["text"])));
  await database.close();
  assert.ok(told.length > 40);
  assert.deepEqual(
    told.filter((text) => !written.has(text)),
    [],
  );
});

test("writes that arrive together share one commit", async () => {
  const path = nextFile();
  const database = openDatabase(path, migrations);
  const insert = (text: string) => database.write((sql) => sql.run("INSERT INTO notes (text) VALUES (?)", text));
  const walBytes = () => statSync(`${path}-wal`).size;
  // every commit adds the pages that it changed to the write-ahead log
  const before = walBytes();
  await Promise.all(Array.from({ length: 100 }, (_, index) => insert(`together ${index}`)));
  const together = walBytes() - before;
  for (let index = 0; index < 20; index += 1) await insert(`alone ${index}`);
  const alone = walBytes() - before - together;
  assert.ok(together * 2 < alone, `${together} bytes together, ${alone} alone`);
  await database.close();
});

test("the files are for the owner alone, and opening one again gives nobody else's lock away", async () => {
  const path = nextFile();
  const first = openDatabase(path, migrations);
  await first.write((sql) => sql.run("INSERT INTO notes (text) VALUES ('a')"));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  const second = openDatabase(path, migrations);
  await second.write((sql) => sql.run("INSERT INTO notes (text) VALUES ('b')"));
  assert.equal((await first.read((sql) => sql.all("SELECT * FROM notes"))).length, 2);
  await second.close();
  await first.close();
});

test("a file that is no database is told as such and stays as it is", () => {
  const path = nextFile();
  const text = "dear diary, ".repeat(100);
  writeFileSync(path, text);
  assert.throws(
    () => openDatabase(path, migrations),
    (error) => error instanceof Fault && error.code === "storage" && error.message.includes(path),
  );
  assert.equal(readFileSync(path, "utf8"), text);
});

test("values go to parameters with numbers, which may stand there twice, and to those without", async () => {
  const database = openDatabase(nextFile(), migrations);
  const rows = await database.read((sql) => [
    sql.get("SELECT ?1 AS a, ?2 AS b, ?1 AS c", "x", 2),
    sql.all("SELECT ? AS a, ? AS b", null, new Uint8Array([7]))[0],
  ]);
  assert.deepEqual({ ...rows[0] }, { a: "x", b: 2, c: "x" });
  assert.deepEqual({ ...rows[1] }, { a: null, b: new Uint8Array([7]) });
  await database.close();
});
