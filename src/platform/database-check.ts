// Is a database file whole: read through without changing anything, beside a Gateway that writes to it, or with none.

import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";

const maxProblems = 5;

/** Blocks until the file is read: for commands, never for the Gateway. @returns what is wrong; empty when nothing is. */
export function checkDatabase(path: string): readonly string[] {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(existsSync(`${path}-wal`) ? path : unchanging(path), { readOnly: true, timeout: 2_000 });
    const rows = db.prepare(`PRAGMA quick_check(${maxProblems})`).all();
    const told = rows.map((row) => String(row["quick_check"]));
    return told.filter((text) => text !== "ok");
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  } finally {
    db?.close();
  }
}

/** Nobody writes to it: without this SQLite would make files beside it to be sure. */
function unchanging(path: string): URL {
  const url = pathToFileURL(path);
  url.searchParams.set("immutable", "1");
  return url;
}
