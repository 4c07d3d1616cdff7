// Puts back what a fix changed, as its restore point has it. What somebody changed after the fix is left alone, unless told.

import { chmod, lstat, readdir, rename, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import { isCode } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";
import { createConfigWriter } from "../config/write.ts";
import { ensureFolder, followLink, writeFileAtomic } from "../platform/files.ts";
import { targetOf } from "../platform/leftovers.ts";
import { withLock } from "../platform/lock.ts";
import { withImport } from "./database.ts";
import type { Added } from "./finding.ts";
import { octal } from "./octal.ts";
import { hashFile, type Entry, type RestorePoint, type RestorePoints } from "./restore-points.ts";
import type { Scene } from "./scene.ts";

export interface UndoDependencies {
  readonly scene: Scene;
  readonly points: RestorePoints;
}

export interface Undone {
  readonly point: RestorePoint;
  /** What was put back, for people. */
  readonly lines: readonly string[];
  /** What was in the way, kept before it was overwritten. */
  readonly kept: RestorePoint | undefined;
}

/**
 * @throws Fault `not_found` when there is no such restore point, `invalid_params` when something changed since: nothing is put
 * back then.
 */
export async function undo(
  { id, isForced }: { id: string | undefined; isForced: boolean },
  dependencies: UndoDependencies,
): Promise<Undone> {
  const { scene, points } = dependencies;
  return withLock(`${scene.paths.state}/doctor.lock`, scene.clock, async () => {
    const point = await choose(points, id);
    const states = await Promise.all(point.entries.map(readState));
    const blocked = point.entries.filter((_, index) => states[index] === "other");
    if (blocked.length > 0 && !isForced)
      throw new Fault(
        "invalid_params",
        `changed after the fix: ${blocked.map(nameOf).join(", ")}; nothing was put back`,
        {
          next: "look at it, or undo with --force",
        },
      );
    const kept =
      blocked.length === 0
        ? undefined
        : await points.make([`before the undo of ${point.id}`], blocked.flatMap(toWanted), []);
    const lines: string[] = [];
    for (const [index, entry] of [...point.entries.entries()].toReversed()) {
      if (states[index] === "before") continue;
      lines.push(...(await restore(entry, point, dependencies)));
    }
    await points.markUndone(point);
    return { point, lines, kept };
  });
}

async function choose(points: RestorePoints, id: string | undefined): Promise<RestorePoint> {
  const all = await points.list();
  const point =
    id === undefined ? all.find(({ undoneAt }) => undoneAt === undefined) : all.find((one) => one.id === id);
  if (point) return point;
  throw new Fault("not_found", id === undefined ? "there is nothing to undo" : `no restore point is called ${id}`, {
    next: "doctor restore-points lists them",
  });
}

function nameOf(entry: Entry): string {
  if (entry.kind === "added") return "the database";
  return entry.kind === "moved" ? entry.to : entry.path;
}

const toWanted = (entry: Entry) =>
  entry.kind === "file" || entry.kind === "mode" ? [{ kind: "file" as const, path: entry.path }] : [];

/** `before`: as it was, there is nothing to do. `after`: as the fix left it. */
type State = "before" | "after" | "other";

async function readState(entry: Entry): Promise<State> {
  if (entry.kind === "folder") return (await isThere(entry.path)) ? "after" : "before";
  if (entry.kind === "added") return "after";
  if (entry.kind === "mode") return readMode(entry);
  return entry.kind === "moved" ? readMove(entry) : readText(entry);
}

async function readMode({ path, before, after }: Extract<Entry, { kind: "mode" }>): Promise<State> {
  const found = await stat(path).catch(() => undefined);
  const mode = found && found.mode & 0o777;
  return mode === before ? "before" : mode === after ? "after" : "other";
}

async function readMove({ from, to, hash }: Extract<Entry, { kind: "moved" }>): Promise<State> {
  const [old, moved] = [await hashFile(from), await hashFile(to)];
  if (moved === null && old === hash) return "before";
  return old === null && moved === hash ? "after" : "other";
}

async function readText({ path, before, after }: Extract<Entry, { kind: "file" }>): Promise<State> {
  const hash = await hashFile(path);
  if (hash === before) return "before";
  return after === undefined || hash === after ? "after" : "other";
}

async function restore(entry: Entry, point: RestorePoint, dependencies: UndoDependencies): Promise<string[]> {
  switch (entry.kind) {
    case "added":
      return removeAdded(entry.added, dependencies.scene);
    case "folder":
      await removeHalves(entry.path, point);
      // what somebody put into it keeps it
      await rmdir(entry.path).catch(() => undefined);
      return [];
    case "mode":
      await chmod(entry.path, entry.before);
      return [`${octal(entry.before)} ${entry.path}`];
    case "moved":
      if (await isThere(entry.from)) return [];
      await rename(entry.to, entry.from);
      return [`${entry.to} -> ${entry.from}`];
    case "file":
      await restoreFile(entry, point, dependencies);
      return [entry.before === null ? `removed ${entry.path}` : `put back ${entry.path}`];
  }
}

/** Of saves of this very fix that were cut off: in a folder that it made. */
async function removeHalves(folder: string, { entries }: RestorePoint): Promise<void> {
  const made = new Set(
    entries.flatMap((entry) => (entry.kind === "file" && entry.before === null ? [entry.path] : [])),
  );
  for (const name of await readdir(folder).catch(() => [])) {
    const target = targetOf(name);
    if (target !== undefined && made.has(join(folder, target))) await unlink(join(folder, name)).catch(() => undefined);
  }
}

async function removeAdded(added: Added, scene: Scene): Promise<string[]> {
  if (!(await isThere(scene.paths.database))) return [];
  return withImport(scene, async (imports) => {
    if ("senders" in added) {
      await imports.forgetSenders(added.senders);
      return [`${added.senders.length} people are not let in any more`];
    }
    const left = await imports.forgetSessions(added.sessions);
    const kept = left === 0 ? "" : `; ${left} stay, since something was said in them`;
    return [`${added.sessions.length - left} conversations are taken out of the database${kept}`];
  });
}

const isThere = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  );

async function restoreFile(
  { path, before, copy, mode = 0o600 }: Extract<Entry, { kind: "file" }>,
  point: RestorePoint,
  { scene, points }: UndoDependencies,
): Promise<void> {
  if (before === null || copy === undefined) {
    await unlink(path).catch((error: unknown) => {
      if (!isCode(error, "ENOENT")) throw error;
    });
    return;
  }
  const bytes = await points.copyOf(point, copy);
  if (path === (await followLink(scene.paths.config))) {
    // what stood there may have had its problems
    const { files, clock } = scene;
    await createConfigWriter({ files, clock, isForced: true }).write(() => bytes.toString("utf8"));
  } else {
    await ensureFolder(dirname(path));
    await writeFileAtomic(path, bytes, { mode });
  }
  await chmod(path, mode);
}
