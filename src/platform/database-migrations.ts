// The steps that bring a database up to date: which are missing, which a newer program has taken, how they are applied. What a step may
// do is in CONTRIBUTING.md, "A table"; test/structure/migrations.test.ts judges it (R10).

import type { DatabaseSync } from "node:sqlite";

import { Fault } from "../base/fault.ts";

export interface Migration {
  /** Unique and never changed once released; migrations run in the order given. */
  readonly id: string;
  readonly sql: string;
  /**
   * For a step that programs before it cannot work with: the oldest version that can. It is stored in the file, so that older ones
   * know. Absent: the step only adds, and the version before goes on working with the file.
   */
  readonly minReader?: string;
}

/** As the file remembers it. */
export interface AppliedStep {
  readonly id: string;
  /** Undefined: whoever could work with the file before still can. */
  readonly minReader: string | undefined;
  /** Version of the program that applied it; undefined in files of the first ones. */
  readonly appliedBy: string | undefined;
  /** Ms since the epoch. */
  readonly appliedAt: number;
}

/** Where a file stands, seen by a program with these migrations. */
export interface Standing {
  /** Nothing is in it yet. */
  readonly isFresh: boolean;
  /** In the order in which they were applied. */
  readonly applied: readonly AppliedStep[];
  readonly missing: readonly Migration[];
  /** Steps of a newer program, or of rooms whose tables were not given. */
  readonly unknown: readonly AppliedStep[];
}

/** @throws what SQLite says. */
export function readStanding(db: DatabaseSync, migrations: readonly Migration[]): Standing {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const hasSteps = tables.some((row) => row["name"] === "migrations");
  const applied = hasSteps ? db.prepare("SELECT * FROM migrations ORDER BY rowid").all().map(toStep) : [];
  const taken = new Set(applied.map(({ id }) => id));
  const known = new Set(migrations.map(({ id }) => id));
  return {
    isFresh: applied.length === 0 && tables.length === (hasSteps ? 1 : 0),
    applied,
    missing: migrations.filter(({ id }) => !taken.has(id)),
    unknown: applied.filter(({ id }) => !known.has(id)),
  };
}

/** The later columns are missing in files of the first programs. */
function toStep(row: Readonly<Record<string, unknown>>): AppliedStep {
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  return {
    id: String(row["id"]),
    minReader: text(row["min_reader"]),
    appliedBy: text(row["applied_by"]),
    appliedAt: Number(row["applied_at"]) * 1_000,
  };
}

/** Steps that a program of this version must not work with. A version that says nothing (`dev`) is older than every mark. */
export function findForbidding(unknown: readonly AppliedStep[], version: string | undefined): readonly AppliedStep[] {
  return unknown.filter(({ minReader }) => minReader !== undefined && isOlder(version, minReader));
}

export function isOlder(version: string | undefined, least: string): boolean {
  const own = parseVersion(version ?? "");
  const wanted = parseVersion(least);
  if (!own || !wanted) return true;
  const at = wanted.findIndex((number, index) => number !== own[index]);
  return at !== -1 && (own[at] ?? 0) < (wanted[at] ?? 0);
}

/** What stands behind the numbers (`-beta.1`) does not count. */
function parseVersion(text: string): readonly number[] | undefined {
  const found = /^(\d+)\.(\d+)\.(\d+)(?![\d.])/u.exec(text);
  return found ? found.slice(1).map(Number) : undefined;
}

/** Columns that came after the first programs; those go on without them. */
const laterColumns = ["min_reader", "applied_by"];

/**
 * Within the caller's transaction.
 * @throws Fault `storage` that names the step; the caller rolls back.
 */
export function applyMigrations(db: DatabaseSync, missing: readonly Migration[], version: string | undefined): void {
  db.exec("CREATE TABLE IF NOT EXISTS migrations (id TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT");
  const columns = db.prepare("SELECT name FROM pragma_table_info('migrations')").all();
  for (const name of laterColumns) {
    if (!columns.some((column) => column["name"] === name)) db.exec(`ALTER TABLE migrations ADD COLUMN ${name} TEXT`);
  }
  const insert = db.prepare(
    "INSERT INTO migrations (id, applied_at, min_reader, applied_by) VALUES (?, unixepoch(), ?, ?)",
  );
  for (const { id, sql, minReader } of missing) {
    try {
      db.exec(sql);
      insert.run(id, minReader ?? null, version ?? null);
    } catch (error) {
      throw new Fault("storage", `step ${id} failed: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}
