// A database file looked at without changing anything, beside a Gateway that writes to it, or with none: is it whole, what is in it.

import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";

import { Fault } from "../base/fault.ts";
import { prepare } from "./database-statement.ts";
import type { Database } from "./database.ts";

const maxProblems = 5;

/** Blocks until the file is read: for commands, never for the Gateway. @returns what is wrong; empty when nothing is. */
export function checkDatabase(path: string): readonly string[] {
  let db: DatabaseSync | undefined;
  try {
    db = openReadOnly(path);
    const rows = db.prepare(`PRAGMA quick_check(${maxProblems})`).all();
    const told = rows.map((row) => String(row["quick_check"]));
    return told.filter((text) => text !== "ok");
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  } finally {
    db?.close();
  }
}

/** Makes no files beside it. @throws what SQLite says. */
export const openReadOnly = (path: string): DatabaseSync =>
  new DatabaseSync(existsSync(`${path}-wal`) ? path : unchanging(path), { readOnly: true, timeout: 2_000 });

/** For reading alone; nothing is migrated, so tables may be missing. @throws what SQLite says. */
export function lookIntoDatabase(path: string): Database {
  const db = openReadOnly(path);
  const refuse = () => new Fault("internal", "this database is open for reading");
  return {
    read: async (task) =>
      task({
        get: (text, ...values) => prepare(db, text).get(values),
        all: (text, ...values) => prepare(db, text).all(values),
        run() {
          throw refuse();
        },
      }),
    write: () => Promise.reject(refuse()),
    close: async () => db.close(),
  };
}

/** Nobody writes to it: without this SQLite would make files beside it to be sure. */
function unchanging(path: string): URL {
  const url = pathToFileURL(path);
  url.searchParams.set("immutable", "1");
  return url;
}
