// Steps of the database: what a released one was stays as it was, and what a new one does leaves the version before a file that it can
// work with (R10).

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";

import { conversationMigrations } from "../../src/conversation/store/schema.ts";
import { openOwnDatabase } from "../../src/gateway/database.ts";
import { tables } from "../../src/gateway/tables.ts";
import { silentLog } from "../../src/base/log.ts";
import { listSnapshots } from "../../src/platform/database-snapshots.ts";
import { root } from "../../scripts/run.ts";
import { dumpRows, listColumns, listTables, loadDump, readSchema } from "../kit/database-dump.ts";
import { judgeMigration } from "../kit/expand-only.ts";

const all = [...conversationMigrations, ...tables];
const dumps = join(root, "test", "fixtures", "databases");
const released = readdirSync(dumps).map((name) => name.replace(/\.sql$/u, ""));
const folder = mkdtempSync(join(tmpdir(), "migrations-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const load = (version: string, name: string) =>
  loadDump(readFileSync(join(dumps, `${version}.sql`), "utf8"), join(mkdtempSync(join(folder, "x")), name));

function look<T>(path: string, task: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return task(db);
  } finally {
    db.close();
  }
}

test("every step only adds, or names the oldest version that can work with it", () => {
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length, "each step has a name of its own");
  for (const { id, sql, minReader } of all) {
    if (minReader === undefined) {
      const advice = `${id}: do it in a way that only adds (CONTRIBUTING.md, "A table"), or give it a minReader`;
      assert.deepEqual(judgeMigration(sql), [], advice);
    } else assert.match(minReader, /^\d+\.\d+\.\d+$/u, id);
  }
});

test("a step that takes away, renames, narrows or rewrites is noticed", () => {
  const refused = [
    "DROP TABLE sessions",
    "ALTER TABLE sessions RENAME TO talks",
    "ALTER TABLE sessions RENAME COLUMN key TO name",
    "ALTER TABLE sessions DROP COLUMN title",
    "ALTER TABLE sessions ADD COLUMN mood TEXT NOT NULL",
    "ALTER TABLE sessions ADD mood TEXT NOT NULL DEFAULT NULL",
    "ALTER TABLE sessions ADD COLUMN owner INTEGER REFERENCES owners (id)",
    "CREATE UNIQUE INDEX one ON sessions (title)",
    "ALTER TABLE sessions ADD COLUMN n INTEGER NOT NULL DEFAULT 0; CREATE UNIQUE INDEX one ON sessions (n)",
    "CREATE TRIGGER t AFTER INSERT ON sessions BEGIN DELETE FROM turns; END",
    "CREATE VIEW v AS SELECT 1",
    "DROP INDEX sessions_recent",
    "UPDATE sessions SET title = ''",
    "ALTER TABLE sessions ADD COLUMN a TEXT; UPDATE sessions SET a = lower(title), title = NULL WHERE a IS NULL",
    "INSERT INTO sessions (key) VALUES ('x; -- not a comment')",
    "DELETE FROM sessions",
    "PRAGMA user_version = 3",
    "COMMIT; BEGIN",
    "CREATE TABLE a (x); DROP TABLE /* CREATE */ sessions",
  ];
  for (const sql of refused) assert.notDeepEqual(judgeMigration(sql), [], sql);
  const fine = [
    "CREATE TABLE a (x INTEGER) STRICT; CREATE UNIQUE INDEX a_x ON a (x); INSERT INTO a (x) SELECT 1; UPDATE a SET x = 2",
    "ALTER TABLE sessions ADD COLUMN mood TEXT; CREATE UNIQUE INDEX one ON sessions (mood) WHERE mood IS NOT NULL",
    "ALTER TABLE sessions ADD COLUMN mood TEXT NOT NULL DEFAULT 'DROP TABLE; calm' -- ; DROP TABLE sessions",
    "DROP INDEX sessions_recent; CREATE INDEX sessions_recent ON sessions (agent_id)",
    "ALTER TABLE sessions ADD COLUMN a TEXT; UPDATE sessions SET a = coalesce(title, 'x', label) WHERE a IS NULL",
  ];
  for (const sql of fine) assert.deepEqual(judgeMigration(sql), [], sql);
});

test("steps of released versions are as they were released", () => {
  assert.ok(released.length > 0);
  for (const version of released) {
    const kept = look(load(version, "kept.sqlite"), (db) => ({
      ids: db
        .prepare("SELECT id FROM migrations ORDER BY rowid")
        .all()
        .map((row) => row["id"]),
      schema: readSchema(db),
    }));
    const anew = new DatabaseSync(":memory:");
    anew.exec(kept.schema.find(({ name }) => name === "migrations")?.sql ?? "");
    for (const id of kept.ids) {
      const step = all.find((one) => one.id === id);
      assert.ok(step, `${String(id)} was released in ${version} and is gone`);
      anew.exec(step.sql);
    }
    const advice = `a step that was released in ${version} was changed: add another one instead`;
    assert.deepEqual(readSchema(anew), kept.schema, advice);
    anew.close();
  }
});

test("a database of every released version is opened with all its rows, and with a copy of it if it changes", async () => {
  for (const version of released) {
    const path = load(version, "gateway.sqlite");
    const before = look(path, (db) =>
      listTables(db).map((table) => {
        const columns = listColumns(db, table);
        return { table, columns, rows: dumpRows(db, table, columns) };
      }),
    );
    assert.ok(before.reduce((sum, { rows }) => sum + rows.length, 0) > 30, "it is one that was used");
    const log = silentLog;
    const given = { version: "9999.0.0", command: (words: string) => words, log };
    const opened = await openOwnDatabase({ ...given, paths: { database: path } });
    await opened.close();
    const steps = before.find(({ table }) => table === "migrations")?.rows.length;
    const isChanged = look(path, (db) => dumpRows(db, "migrations").length) !== steps;
    assert.equal((await listSnapshots(path)).length, isChanged ? 1 : 0);
    look(path, (db) => {
      assert.deepEqual(db.prepare("PRAGMA integrity_check").get(), { __proto__: null, integrity_check: "ok" });
      for (const { table, columns, rows } of before.filter((one) => one.table !== "migrations"))
        assert.deepEqual(dumpRows(db, table, columns), rows, `${version}: ${table}`);
    });
  }
});

test("SQL names the columns that it fills: one that a newer version adds must not shift them", () => {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
  );
  for (const name of files) {
    const text = readFileSync(join(root, "src", name), "utf8");
    const found = [...text.matchAll(/INSERT (?:OR \w+ )?INTO \w+\s+(?:VALUES|SELECT)\b/gu)].map(([one]) => one);
    // the one step that fills a table which it has just made
    assert.deepEqual(
      found,
      name === join("conversation", "store", "schema.ts") ? ["INSERT INTO model_use\n        SELECT"] : [],
      name,
    );
  }
});
