// How much room a database takes, and giving back what is free in it: a few pages at a time, so that nobody waits for it.

import type { Sql } from "./database.ts";

export interface DatabaseSpace {
  /** Of the file once all is written to it. */
  readonly bytes: number;
  /** Of these nothing is kept; new rows go there first. */
  readonly freeBytes: number;
  /** False: an older file, which keeps its size until it is packed. */
  readonly canShrink: boolean;
}

export function readSpace(sql: Sql): DatabaseSpace {
  const pageBytes = pragma(sql, "page_size");
  return {
    bytes: pragma(sql, "page_count") * pageBytes,
    freeBytes: pragma(sql, "freelist_count") * pageBytes,
    canShrink: pragma(sql, "auto_vacuum") !== 0,
  };
}

/** For a transaction; well below a millisecond. @returns how many pages went: 0 when nothing is left to give back. */
export function giveBackPages(sql: Sql): number {
  const before = pragma(sql, "freelist_count");
  if (before === 0 || pragma(sql, "auto_vacuum") === 0) return 0;
  sql.all("PRAGMA incremental_vacuum(32)");
  return before - pragma(sql, "freelist_count");
}

/** Outside of a transaction: what was committed goes into the file, which only then gets shorter. */
export function writeBack(sql: Sql): void {
  sql.all("PRAGMA wal_checkpoint(PASSIVE)");
}

/**
 * Outside of a transaction, and for who has the file alone: it is written anew without what is free in it, and can shrink by itself
 * afterwards. Takes seconds for hundreds of megabytes, and as much room as it holds.
 */
export function packDatabase(sql: Sql): void {
  sql.run("PRAGMA auto_vacuum = INCREMENTAL");
  sql.run("VACUUM");
  sql.all("PRAGMA wal_checkpoint(TRUNCATE)");
}

function pragma(sql: Sql, name: string): number {
  return Number(sql.get(`PRAGMA ${name}`)?.[name] ?? 0);
}
