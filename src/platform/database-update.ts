// Brings a database with data in it up to date: a snapshot first, then all missing steps as one transaction; and says what to do where
// that does not work out. Loaded only then.

import type { DatabaseSync } from "node:sqlite";

import { Fault } from "../base/fault.ts";
import { shellWord } from "../base/shell.ts";
import type { Opener } from "./database.ts";
import {
  applyMigrations,
  findForbidding,
  isOlder,
  readStanding,
  type AppliedStep,
  type Migration,
  type Standing,
} from "./database-migrations.ts";
import { listSnapshots, readSteps, takeSnapshot } from "./database-snapshots.ts";

interface Connection {
  readonly db: DatabaseSync;
  readonly path: string;
}

/**
 * Nobody else writes between the snapshot and the last step.
 * @throws Fault `storage`; nothing is changed then, and the transaction is the caller's to roll back.
 */
export async function updateDatabase(
  { db, path }: Connection,
  migrations: readonly Migration[],
  opener: Opener,
): Promise<void> {
  begin(db, path);
  // another program may have done it since the first look
  const standing = readStanding(db, migrations);
  const { missing, isFresh, unknown } = standing;
  const forbidding = findForbidding(unknown, opener.version);
  if (forbidding.length > 0) throw await refuseNewer(path, forbidding, opener);
  if (opener.isAlone !== true && !isFresh && missing.some(({ minReader }) => minReader !== undefined))
    throw new Fault("storage", `the database ${path} has to be brought up to date by a Gateway of this version first`, {
      next: `nothing was changed; stop the one that runs, start this one with ${opener.command("gateway")}, and try again`,
    });
  const snapshot =
    isFresh || missing.length === 0 ? undefined : await takeSnapshot({ db, path, version: opener.version });
  try {
    applyMigrations(db, missing, opener.version);
    db.exec("COMMIT");
  } catch (cause) {
    throw describeFailure(path, cause, { standing, snapshot, opener });
  }
  if (snapshot !== undefined)
    opener.log?.info("the database was brought up to date", { steps: missing.map(({ id }) => id), snapshot });
}

function begin(db: DatabaseSync, path: string): void {
  try {
    db.exec("BEGIN IMMEDIATE");
  } catch (cause) {
    throw new Fault("storage", `another program works on the database ${path}: ${messageOf(cause)}`, {
      cause,
      next: "nothing was changed; try again in a moment",
    });
  }
}

interface Failed {
  readonly standing: Standing;
  readonly snapshot: string | undefined;
  readonly opener: Opener;
}

function describeFailure(path: string, cause: unknown, { standing, snapshot, opener }: Failed): Fault {
  const before = versionOf(standing.applied);
  const kept = snapshot === undefined ? "" : ` A copy from before it is ${snapshot}.`;
  const older = before === undefined ? "the version before" : `version ${before}`;
  return new Fault("storage", `the database ${path} could not be brought up to date: ${messageOf(cause)}`, {
    cause,
    next: `nothing was changed: ${older} works with it as ever, install that one meanwhile.${kept} See whether the database is whole with ${opener.command("doctor --only storage")}, and report this with the log`,
  });
}

/** The program that changed the file last; undefined: nobody knows. */
export const versionOf = (applied: readonly AppliedStep[]): string | undefined =>
  applied.findLast(({ appliedBy }) => appliedBy !== undefined)?.appliedBy;

/** For a file that a newer program changed in a way that this one cannot work with: the next version, or the newest snapshot to go back to. */
export async function refuseNewer(path: string, forbidding: readonly AppliedStep[], opener: Opener): Promise<Fault> {
  const { version = "this one", command } = opener;
  const names = forbidding.map(({ id, appliedBy }) => (appliedBy === undefined ? id : `${id} of ${appliedBy}`));
  const marks = forbidding.flatMap(({ minReader }) => minReader ?? []);
  const least = marks.reduce((newest, mark) => (isOlder(newest, mark) ? mark : newest));
  const snapshot = (await listSnapshots(path)).find(
    (one) => findForbidding(readSteps(one.path), opener.version).length === 0,
  );
  const back = snapshot
    ? `to go back to the data of ${new Date(snapshot.at).toISOString()}: ${command(`backup restore ${shellWord(snapshot.path)}`)}`
    : `bring back a backup from before that: ${command("backup restore <file>")}`;
  return new Fault(
    "storage",
    `the database ${path} was changed by a newer version (${names.join(", ")}), and version ${version} cannot work with it`,
    { next: `install version ${least} or newer; or, ${back}` },
  );
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
