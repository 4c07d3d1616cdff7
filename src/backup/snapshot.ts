// Puts a snapshot of the database in the place of the database, by the same swap as a restore: what was there is kept, and can be put
// back.

import { mkdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { checkDatabase, copyDatabase, isDatabase } from "../platform/database-copy.ts";
import { readSteps } from "../platform/database-snapshots.ts";
import { toStamp, underLock, type Restored } from "./restore.ts";
import { announceSwap, finishSwap, freeStamp, newOf, swap } from "./swap.ts";

export interface SnapshotOptions {
  readonly file: string;
  /** The Gateway's, in the state folder. */
  readonly database: string;
  /** The state folder's lock. */
  readonly lock: string;
  readonly clock: Clock;
  /** Hears of each change of the swap before it happens. */
  readonly step?: (name: string) => void;
}

/** True for a database, which a backup is not; false when there is no such file. */
export const isSnapshot = (file: string): Promise<boolean> => isDatabase(file).catch(() => false);

/** @throws Fault `invalid_params` for a database that is damaged, or not one of a Gateway. */
export async function checkSnapshot(file: string): Promise<{ readonly bytes: number }> {
  const [problem] = checkDatabase(file);
  const steps = problem === undefined ? readSteps(file) : [];
  if (problem !== undefined || steps.length === 0)
    throw new Fault("invalid_params", `${file} cannot be restored: ${problem ?? "it is no database of a Gateway"}`, {
      next: "nothing was changed; choose another snapshot, or a backup",
    });
  return { bytes: (await stat(file)).size };
}

/** The snapshot stays. @throws Fault `already_running` while a Gateway runs on the state, `storage` when it cannot be written. */
export async function restoreSnapshot({ file, database, lock, clock, step }: SnapshotOptions): Promise<Restored> {
  return underLock(dirname(database), lock, async (folder) => {
    const name = basename(database);
    // side files of the one would damage the other: they go with theirs, also when this is undone
    const names = [name, `${name}-wal`, `${name}-shm`];
    const planned = {
      stamp: await freeStamp([folder], toStamp(clock)),
      roots: [{ folder, isWhole: false, old: names, new: names }],
    };
    await announceSwap(folder, planned);
    try {
      await mkdir(newOf(folder), { recursive: true, mode: 0o700 });
      const ready = join(newOf(folder), name);
      await copyDatabase(file, ready);
      await checkSnapshot(ready);
    } catch (error) {
      await finishSwap(folder);
      throw error;
    }
    return { point: await swap(folder, planned, step) };
  });
}
