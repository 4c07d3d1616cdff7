// One Gateway a state folder. The lock is SQLite's own lock on a file of its own: the kernel releases it when the process dies,
// however it dies, so there is no stale lock (R14).

import { unlink } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";

import { sleep, type Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { createPrivate } from "./database.ts";
import { readTextIfExists, writeFileAtomic } from "./files.ts";

export interface LockOwner {
  readonly pid: number;
  readonly port: number;
  readonly version: string;
  readonly startedAt: number;
}

export interface Lock {
  /** Tells others who holds the lock. */
  describe(owner: LockOwner): Promise<void>;
  release(): void;
}

const ownerFile = (path: string) => `${path}.json`;

/**
 * @throws Fault `already_running`, naming the owner, when another process holds it; `storage` when the lock cannot be had for
 * any other reason.
 */
export async function openLock(path: string): Promise<Lock> {
  const db = take(path);
  if (!db) {
    const owner = await readOwner(path);
    throw new Fault(
      "already_running",
      `another Gateway runs on this state folder${owner ? ` (pid ${owner.pid}, port ${owner.port})` : ""}`,
      {
        next: `stop it first (Ctrl-C where it runs, ${owner ? `kill ${owner.pid}, ` : ""}or gateway stop where it is a service), or give this one its own --profile and --port`,
      },
    );
  }
  // until we say who we are, nobody must be told of the owner before us
  await unlink(ownerFile(path)).catch(() => undefined);
  return {
    async describe(owner) {
      await writeFileAtomic(ownerFile(path), `${JSON.stringify(owner)}\n`);
    },
    release() {
      if (db.isOpen) db.close();
    },
  };
}

const waitMs = 10_000;
/** How often a taken lock is tried again. Who takes it again at once after releasing it leaves the others this much time. */
export const lockRetryMs = 10;

/**
 * Runs `task` while no other process, and nobody else in this one, holds the same lock; waits up to ten seconds for it.
 * @throws Fault `timeout` when it stays taken, `storage` when it cannot be had at all.
 */
export async function withLock<T>(path: string, clock: Clock, task: () => Promise<T>): Promise<T> {
  const giveUpAt = clock.monotonic() + waitMs;
  let db = take(path);
  while (!db) {
    if (clock.monotonic() >= giveUpAt) {
      throw new Fault("timeout", `another program holds ${path}`, { next: "try again once it is done" });
    }
    await sleep(clock, lockRetryMs);
    db = take(path);
  }
  try {
    return await task();
  } finally {
    db.close();
  }
}

/** undefined when somebody else has it. */
function take(path: string): DatabaseSync | undefined {
  let db: DatabaseSync | undefined;
  try {
    createPrivate(path);
    db = new DatabaseSync(path, { timeout: 0 });
    db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return db;
  } catch (error) {
    db?.close();
    if (isBusy(error)) return undefined;
    throw new Fault("storage", `cannot lock ${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
      next: isForeign(error)
        ? "it is no lock: when no Gateway runs here, move it away"
        : "check that the state directory is writable, and the disk not full",
    });
  }
}

/** SQLITE_NOTADB, SQLITE_CORRUPT. */
const isForeign = (error: unknown) =>
  error instanceof Error && "errcode" in error && (error.errcode === 26 || error.errcode === 11);

/** SQLITE_BUSY, with any of its extended codes. */
function isBusy(error: unknown): boolean {
  return (
    error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === 5
  );
}

/** Who held the lock last; undefined when unknown. It may be dead: only the lock itself tells. */
export async function readOwner(path: string): Promise<LockOwner | undefined> {
  const text = await readTextIfExists(ownerFile(path));
  if (text === undefined) return undefined;
  try {
    // written by describe
    return JSON.parse(text) as LockOwner;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
