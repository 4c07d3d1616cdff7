// One Gateway a state folder. The lock is SQLite's own lock on a file of its own: the kernel releases it when the process dies,
// however it dies, so there is no stale lock (R14).

import { DatabaseSync } from "node:sqlite";

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

/** @throws Fault `already_running`, naming the owner, when another process holds it. */
export async function openLock(path: string): Promise<Lock> {
  createPrivate(path);
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    const owner = await readOwner(path);
    throw new Fault(
      "already_running",
      `another Gateway runs on this state folder${owner ? ` (pid ${owner.pid}, port ${owner.port})` : ""}`,
      {
        cause: error,
        next: "stop it first, or give this one its own --profile and --port",
      },
    );
  }
  return {
    describe: (owner) => writeFileAtomic(ownerFile(path), `${JSON.stringify(owner)}\n`),
    release() {
      if (db.isOpen) db.close();
    },
  };
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
