// Makes room once the budget is overrun: rolled logs, archives, restore points and snapshots, rows of finished work; of each the oldest
// first, and no more than is needed. Conversations, the config and its history, credentials and what a person put aside are never taken.

import { lstat, readdir, rm, unlink } from "node:fs/promises";
import { basename, join } from "node:path";

import type { Retention } from "../../conversation/retention/retention.ts";
import { listSnapshots } from "../../platform/database-snapshots.ts";
import { sizeOf } from "../../platform/disk-usage.ts";
import { isDatedLog } from "../../platform/log-name.ts";
import type { Paths } from "../../platform/paths.ts";
import { chooseOldest, type Spare } from "./budget.ts";

export interface ReliefDependencies {
  readonly paths: Pick<Paths, "state" | "database" | "logs" | "logPrefix">;
  /** The file that is written to. */
  readonly currentLog: () => string;
  readonly retention: Pick<Retention, "forget">;
}

export interface Relief {
  readonly bytes: number;
  /** How many of each: log files, messages, restore points, snapshots, rows. */
  readonly logs: number;
  readonly archives: number;
  readonly restorePoints: number;
  readonly snapshots: number;
  readonly rows: number;
}

export async function makeRoom(excess: number, dependencies: ReliefDependencies): Promise<Relief> {
  const { retention } = dependencies;
  let left = excess;
  const remove = async (spares: readonly Spare[]): Promise<number> => {
    let count = 0;
    for (const { path, bytes } of left > 0 ? chooseOldest(spares, left) : []) {
      if (!(await removeSpare(path))) continue;
      left -= bytes;
      count += 1;
    }
    return count;
  };
  const forget = async (kind: "archives" | "rows"): Promise<number> => {
    if (left <= 0) return 0;
    const { count, bytes } = await retention.forget(kind, left);
    left -= bytes;
    return count;
  };
  const logs = await remove(await listRolledLogs(dependencies));
  const archives = await forget("archives");
  const restorePoints = await remove(await listRestorePoints(dependencies));
  // those of the database from before an update: likewise but for the newest
  const snapshots = await remove((await listSnapshots(dependencies.paths.database)).slice(1));
  const rows = await forget("rows");
  return { bytes: excess - left, logs, archives, restorePoints, snapshots, rows };
}

/** Gone meanwhile, or not ours to remove: others may do. */
async function removeSpare(path: string): Promise<boolean> {
  try {
    const found = await lstat(path);
    await (found.isDirectory() ? rm(path, { recursive: true }) : unlink(path));
    return true;
  } catch {
    return false;
  }
}

async function listRolledLogs({ paths, currentLog }: ReliefDependencies): Promise<Spare[]> {
  const { logs, logPrefix } = paths;
  const current = currentLog();
  const names = (await readdir(logs).catch(() => [])).filter(
    (name) => isDatedLog(name, logPrefix) && join(logs, name) !== current,
  );
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(logs, name);
      const stats = await lstat(path).catch(() => undefined);
      const isOurs = stats?.isFile() === true && (process.getuid === undefined || stats.uid === process.getuid());
      return isOurs ? [{ path, at: stats.mtimeMs, bytes: stats.size }] : [];
    }),
  );
  return found.flat();
}

const pointName = /^\d{8}-\d{6}-\d{3}(?:-\d+)?$/u;

/** But for the newest: the last fix can always be taken back. */
async function listRestorePoints({ paths }: ReliefDependencies): Promise<Spare[]> {
  const folder = join(paths.state, "restore-points");
  const names = (await readdir(folder).catch(() => [])).filter((name) => pointName.test(name)).toSorted();
  const older = names.slice(0, -1).map((name) => join(folder, name));
  return Promise.all(older.map(async (path) => ({ path, at: toTime(basename(path)), bytes: await sizeOf(path) })));
}

/** Its name is the moment when it was made. */
function toTime(name: string): number {
  const [, year, month, day, hour, minute, second, ms] =
    /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-(\d{3})/u.exec(name) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`) || 0;
}
