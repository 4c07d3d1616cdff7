// Snapshots of a database from before it is brought up to date: whole and checked, closed to others, a few of them, in a folder
// beside it.

import { readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";

import { Fault } from "../base/fault.ts";
import { openReadOnly } from "./database-check.ts";
import { checkDatabase, copyDatabase } from "./database-copy.ts";
import { readStanding, type AppliedStep } from "./database-migrations.ts";
import { ensureFolder, syncFolder } from "./files.ts";

/** Of the newest kinds: each is of another state of the tables. */
const kept = 3;
/** For the steps themselves, and so that the disk is not full to the last byte. */
const spareBytes = 16 * 1024 * 1024;

export interface Snapshot {
  readonly path: string;
  /** The program that was about to change the database. */
  readonly before: string;
  /** When it was taken, ms since the epoch. */
  readonly at: number;
  readonly bytes: number;
}

/** Where those of a database are. */
export const snapshotFolder = (path: string): string => join(dirname(path), "snapshots");

const namePattern = /-before-(.+)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.sqlite$/u;

/** The newest first; empty when there is no folder. */
export async function listSnapshots(path: string): Promise<readonly Snapshot[]> {
  const folder = snapshotFolder(path);
  const own = basename(path, ".sqlite");
  const found: Snapshot[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const match = name.startsWith(`${own}-before-`) ? namePattern.exec(name) : null;
    if (!match) continue;
    const [, before = "", year, month, day, hour, minute, second, ms] = match;
    const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
    const { size: bytes } = await stat(join(folder, name));
    found.push({ path: join(folder, name), before, at, bytes });
  }
  return found.toSorted((a, b) => b.at - a.at);
}

/** The steps that a database has taken; it may be in use. @throws what SQLite says. */
export function readSteps(path: string): readonly AppliedStep[] {
  const db = openReadOnly(path);
  try {
    return readStanding(db, []).applied;
  } finally {
    db.close();
  }
}

interface Source {
  /** Holds the write lock. */
  readonly db: DatabaseSync;
  readonly path: string;
  readonly version: string | undefined;
}

/**
 * Of all that is committed. One of the same tables from before takes its place; older ones than the newest few go.
 * @returns its path. @throws Fault `storage` when the disk has no room, or the database is damaged; nothing is left behind then.
 */
export async function takeSnapshot({ db, path, version = "dev" }: Source): Promise<string> {
  const folder = snapshotFolder(path);
  await ensureFolder(folder);
  await removeCutOff(folder);
  const steps = stepsOf(readStanding(db, []).applied);
  const same = (await listSnapshots(path)).filter((one) => stepsOf(tryReadSteps(one.path)) === steps);
  const [latest] = same;
  if (latest && (await isUnchangedSince(path, latest.path))) return latest.path;
  await checkRoom(db, folder);

  // when it was taken is in its name: whoever copies it about keeps that
  const { now } = db.prepare("SELECT strftime('%Y%m%dT%H%M%f', 'now') AS now").get() as { now: string };
  const name = `${basename(path, ".sqlite")}-before-${version.replaceAll(/[^\w.]/gu, "_")}-${now.replace(".", "")}Z.sqlite`;
  const temporary = join(folder, `${name}.tmp`);
  try {
    await copyDatabase(path, temporary);
    const [problem] = checkDatabase(temporary);
    if (problem !== undefined) throw new Fault("storage", `the database is not whole: ${problem}`);
    await rename(temporary, join(folder, name));
    await syncFolder(folder);
  } catch (cause) {
    await removeCutOff(folder);
    throw new Fault("storage", `no snapshot of ${path} could be made before the update: ${messageOf(cause)}`, {
      cause,
      next: `nothing was changed, and the version before works with it as ever; make room on the disk of ${folder}, or see what the cause says, and start again`,
    });
  }
  for (const one of same) await rm(one.path, { force: true });
  for (const old of (await listSnapshots(path)).slice(kept)) await rm(old.path, { force: true });
  return join(folder, name);
}

const stepsOf = (applied: readonly AppliedStep[] | undefined) => applied?.map(({ id }) => id).join("\n");

function tryReadSteps(path: string): readonly AppliedStep[] | undefined {
  try {
    return readSteps(path);
  } catch {
    // a damaged one is like no other
    return undefined;
  }
}

/** An update that fails is tried at every start: it must not copy gigabytes each time. */
async function isUnchangedSince(path: string, snapshot: string): Promise<boolean> {
  const [main, log, copy] = await Promise.all(
    [path, `${path}-wal`, snapshot].map((file) => stat(file).catch(() => undefined)),
  );
  return (log?.size ?? 0) === 0 && main !== undefined && copy !== undefined && main.mtimeMs < copy.mtimeMs;
}

/** Of a program that was killed meanwhile: nobody else makes one while we hold the lock. */
async function removeCutOff(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (/\.sqlite\.tmp(?:-\w+)?$/u.test(name)) await rm(join(folder, name), { force: true });
}

async function checkRoom(db: DatabaseSync, folder: string): Promise<void> {
  const pragma = (name: string) => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  const neededBytes = pragma("page_count") * pragma("page_size") + spareBytes;
  const disk = await statfs(folder);
  const freeBytes = disk.bavail * disk.bsize;
  if (freeBytes >= neededBytes) return;
  throw new Fault(
    "storage",
    `the disk has no room for a snapshot of the database before the update: it needs ${toMegabytes(neededBytes)}, and ${toMegabytes(freeBytes)} are left in ${folder}`,
    { next: "nothing was changed, and the version before works with it as ever; make room and start again" },
  );
}

const toMegabytes = (bytes: number) => `${Math.ceil(bytes / 1024 / 1024)} MB`;
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
