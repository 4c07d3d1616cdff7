// A database as one file that nobody writes to: copied while others use it, and checked.

import { open } from "node:fs/promises";
import { backup, DatabaseSync } from "node:sqlite";

import { Fault } from "../base/fault.ts";
import { createPrivate } from "./database.ts";

/** What every SQLite file begins with. */
export const databaseMagic = Buffer.from("SQLite format 3\0", "latin1");
/** All pages in one step: in many, a writer beside us would make it begin again and again. */
const allPages = 2 ** 31 - 1;

export const beginsLikeDatabase = (head: Uint8Array): boolean =>
  databaseMagic.equals(head.subarray(0, databaseMagic.length));

/** True for a file with a database in it. One that this process has open must not be asked about: closing it drops its locks. */
export async function isDatabase(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(databaseMagic.length), 0, databaseMagic.length, 0);
    return beginsLikeDatabase(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/**
 * Copies what is committed at this moment (R44). Writers go on meanwhile; the copy needs no side files. `to` must not exist.
 * @throws Fault `storage` when it cannot be read or the disk is full; what there is of the copy then is the caller's to remove.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  let source: DatabaseSync | undefined;
  try {
    createPrivate(to);
    source = new DatabaseSync(from, { readOnly: true, timeout: 5_000 });
    await backup(source, to, { rate: allPages });
    const copy = new DatabaseSync(to);
    try {
      copy.exec("PRAGMA journal_mode = DELETE");
    } finally {
      copy.close();
    }
  } catch (error) {
    throw new Fault("storage", `cannot copy the database ${from}: ${messageOf(error)}`, {
      cause: error,
      next: "check that the disk has room for a copy, and that the database is not damaged",
    });
  } finally {
    source?.close();
  }
}

/** @returns what SQLite finds wrong with the structure of a copy; empty when nothing is. */
export function checkDatabase(path: string): readonly string[] {
  try {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      const found = db
        .prepare("PRAGMA quick_check(5)")
        .all()
        .map((row) => String(Object.values(row)[0]));
      return found.filter((line) => line !== "ok");
    } finally {
      db.close();
    }
  } catch (error) {
    return [messageOf(error)];
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
