// The only owner of SQLite. One connection, WAL, synchronous=FULL: what `write` resolved is on the disk (law 1).
// Writes that arrive together share one transaction and so one fsync (group commit).

import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";

import { isCode } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { applyMigrations, findForbidding, readStanding, type Migration } from "./database-migrations.ts";
import { prepare, type Statement } from "./database-statement.ts";

export type { Migration } from "./database-migrations.ts";
export type SqlValue = SQLInputValue;
export type SqlRow = Record<string, string | number | bigint | null | Uint8Array>;

/** Plain SQL with positional parameters. Statements are prepared once and kept. */
export interface Sql {
  run(text: string, ...values: SqlValue[]): { changes: number; lastId: number };
  get(text: string, ...values: SqlValue[]): SqlRow | undefined;
  all(text: string, ...values: SqlValue[]): SqlRow[];
}

export interface Database {
  /** Sees everything committed so far. */
  read<T>(task: (sql: Sql) => T): Promise<T>;
  /**
   * Runs `task` in a transaction; resolves after commit. A throw undoes this task alone and rejects this call alone.
   * @throws Fault `storage` when the commit fails (disk full, I/O error): then nothing of it happened.
   */
  write<T>(task: (sql: Sql) => T): Promise<T>;
  close(): Promise<void>;
}

interface Job {
  task: (sql: Sql) => unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Who opens a database that may have been made by another version of the program. */
export interface Opener {
  /** Of the program, as `1.2.3`; absent: older than whatever asks for a version. */
  readonly version?: string;
  /** A command as its owner types it. */
  readonly command: (words: string) => string;
  readonly log?: Log;
  /**
   * No other program works with the database, an older one neither: the state folder's lock is held. Without it nothing is done to a
   * file that an older program could not go on with.
   */
  readonly isAlone?: boolean;
}

/**
 * Opens or creates the database and applies missing migrations, with no snapshot: for databases that nobody would miss.
 * @throws Fault `storage` naming the file when it cannot be opened or a migration fails; the file is then unchanged.
 */
export function openDatabase(path: string, migrations: readonly Migration[]): Database {
  const db = connect(path);
  try {
    db.exec("BEGIN IMMEDIATE");
    applyMigrations(db, readStanding(db, migrations).missing, undefined);
    db.exec("COMMIT");
  } catch (error) {
    close(db);
    throw failedUpdate(path, error, "nothing was changed; report this with the log");
  }
  return serve(db);
}

/**
 * Opens or creates a database that somebody would miss (R10): before missing migrations are applied to one with data in it, a
 * verified snapshot is taken, and all of them are one transaction. Steps of a newer program are left alone.
 * @throws Fault `storage` with what to type when that is not possible, or a step of a newer program forbids it; the file is then
 * unchanged.
 */
export async function openKeptDatabase(
  path: string,
  migrations: readonly Migration[],
  opener: Opener,
): Promise<Database> {
  const db = connect(path);
  try {
    const { missing, unknown } = readStanding(db, migrations);
    const forbidding = findForbidding(unknown, opener.version);
    if (forbidding.length > 0) {
      const { refuseNewer } = await import("./database-update.ts");
      throw await refuseNewer(path, forbidding, opener);
    }
    if (unknown.length > 0)
      opener.log?.info("the database was used by a newer version; what that added is left alone", {
        steps: unknown.map(({ id }) => id),
      });
    if (missing.length > 0)
      await (await import("./database-update.ts")).updateDatabase({ db, path }, migrations, opener);
    return serve(db);
  } catch (error) {
    close(db);
    if (error instanceof Fault) throw error;
    throw failedUpdate(path, error, "check that the file is a database of the Gateway, and that the disk is not full");
  }
}

function close(db: DatabaseSync): void {
  if (db.isTransaction) db.exec("ROLLBACK");
  db.close();
}

const failedUpdate = (path: string, cause: unknown, next: string) =>
  new Fault("storage", `the database ${path} could not be brought up to date: ${messageOf(cause)}`, { cause, next });

function serve(db: DatabaseSync): Database {
  const sql = createSql(db);
  let queue: Job[] = [];
  let isScheduled = false;
  let isClosed = false;

  const flush = () => {
    isScheduled = false;
    const jobs = queue;
    queue = [];
    if (jobs.length > 0) commitAll(db, sql, jobs);
  };
  const checkOpen = () => {
    if (isClosed) throw new Fault("storage", "the database is closed");
  };

  return {
    async read(task) {
      checkOpen();
      return task(sql);
    },
    write<T>(task: (sql: Sql) => T) {
      return new Promise<T>((resolve, reject) => {
        if (isClosed) {
          reject(new Fault("storage", "the database is closed"));
          return;
        }
        // `resolve` is called with what this very task returned
        queue.push({ task, resolve: resolve as (value: unknown) => void, reject });
        if (isScheduled) return;
        isScheduled = true;
        setImmediate(flush);
      });
    },
    async close() {
      if (isClosed) return;
      flush();
      isClosed = true;
      db.close();
    },
  };
}

function connect(path: string): DatabaseSync {
  try {
    createPrivate(path);
    const db = new DatabaseSync(path, { timeout: 5_000 });
    // space that is given up goes back to the disk piece by piece: only a new file can be made for that, and for any other it is a write
    if (db.prepare("PRAGMA page_count").get()?.["page_count"] === 0) db.exec("PRAGMA auto_vacuum = INCREMENTAL");
    db.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -4000; PRAGMA journal_size_limit = 4194304;",
    );
    return db;
  } catch (error) {
    const reason = messageOf(error);
    const isDamaged = /not a database|malformed/u.test(reason);
    throw new Fault("storage", `cannot open the database ${path}: ${reason}`, {
      cause: error,
      next: isDamaged
        ? "keep a copy of that file and put a backup back (backup restore), or move it away to begin anew"
        : "check that the state directory is writable and the disk is not full",
    });
  }
}

function createSql(db: DatabaseSync): Sql {
  const prepared = new Map<string, Statement>();
  const statement = (text: string) => {
    let found = prepared.get(text);
    if (!found) {
      found = prepare(db, text);
      prepared.set(text, found);
    }
    return found;
  };
  return {
    run(text, ...values) {
      const result = statement(text).run(values);
      return { changes: Number(result.changes), lastId: Number(result.lastInsertRowid) };
    },
    get: (text, ...values) => statement(text).get(values),
    all: (text, ...values) => statement(text).all(values),
  };
}

/**
 * Makes the file when it is missing; SQLite gives its side files the same mode. One that exists is not even opened: POSIX
 * drops all locks that this process has on a file when any descriptor of it is closed.
 */
export function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  }
}

/** One transaction, one savepoint a job: a failing job does not take its neighbours with it. */
function commitAll(db: DatabaseSync, sql: Sql, jobs: readonly Job[]): void {
  const outcomes: { job: Job; value?: unknown; error?: unknown; isOk: boolean }[] = [];
  try {
    db.exec("BEGIN IMMEDIATE");
    for (const job of jobs) {
      db.exec("SAVEPOINT job");
      try {
        const value = job.task(sql);
        db.exec("RELEASE job");
        outcomes.push({ job, value, isOk: true });
      } catch (error) {
        // a full disk may have ended the whole transaction already
        if (!db.isTransaction) throw error;
        db.exec("ROLLBACK TO job; RELEASE job");
        outcomes.push({ job, error, isOk: false });
      }
    }
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    const fault = new Fault("storage", `the database refused to commit: ${messageOf(error)}`, {
      cause: error,
      next: "free disk space or check the disk; the Gateway goes on by itself",
    });
    for (const job of jobs) job.reject(fault);
    return;
  }
  for (const outcome of outcomes) {
    if (outcome.isOk) outcome.job.resolve(outcome.value);
    else outcome.job.reject(outcome.error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
