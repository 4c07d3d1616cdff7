// Puts what was made ready into place of what is there, by renames of entries within their folder. What is to be done is written
// down first: a swap that was cut off anywhere goes on from there, so that there is old or new and no mixture.

import { lstat, mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";

import { isRecord, parseJson } from "../base/json.ts";
import { Fault } from "../base/fault.ts";
import { ensureFolder, readTextIfExists, syncFolder, writeFileAtomic } from "../platform/files.ts";
import { pointPrefix, restoreFolder } from "./places.ts";

export interface SwapRoot {
  /** Absolute; its entries change places. */
  readonly folder: string;
  /** All that belongs to a backup changes places, and not only what is named. */
  readonly isWhole: boolean;
  /** Paths below the folder that go, and that come from `<folder>/.restore/new`. */
  readonly old: readonly string[];
  readonly new: readonly string[];
}

export interface Swap {
  /** Part of the name under which the old entries are kept. */
  readonly stamp: string;
  /** The state folder first: it holds the journal. */
  readonly roots: readonly SwapRoot[];
  /** Of an earlier swap: what it kept is what comes. */
  readonly from?: string;
}

const journalOf = (state: string) => join(state, restoreFolder, "journal.json");
const meanwhile = ".made-meanwhile";
const pointFile = "restore-point.json";
export const newOf = (folder: string): string => join(folder, restoreFolder, "new");
const oldOf = (folder: string) => join(folder, restoreFolder, "old");
export const pointOf = (folder: string, stamp: string): string => join(folder, `${pointPrefix}${stamp}`);

/** A stamp under which none of the folders keeps anything yet. */
export async function freeStamp(folders: readonly string[], now: string): Promise<string> {
  for (let count = 0; ; count += 1) {
    const stamp = count === 0 ? now : `${now}-${count}`;
    const taken = await Promise.all(folders.map((folder) => exists(pointOf(folder, stamp))));
    if (!taken.includes(true)) return stamp;
  }
}

/** Begins a swap: what is made ready from now on is cleared away if the swap itself never comes. */
export async function announceSwap(state: string, plan: Swap): Promise<void> {
  for (const { folder } of plan.roots) {
    await ensureFolder(folder);
    await clearReady(folder);
  }
  await ensureFolder(join(state, restoreFolder));
  await writeFileAtomic(journalOf(state), `${JSON.stringify({ ...plan, isReady: false })}\n`);
}

/**
 * `step` hears of each change before it happens. The caller holds the state folder's lock.
 * @returns where the old entries of the first root are now.
 */
export async function swap(state: string, plan: Swap, step: (name: string) => void = () => {}): Promise<string> {
  step("journal");
  await ensureFolder(join(state, restoreFolder));
  await writeFileAtomic(journalOf(state), `${JSON.stringify({ ...plan, isReady: true })}\n`);
  await carryOut(state, plan, step);
  return pointOf(state, plan.stamp);
}

/** Goes on with a swap that was cut off, or clears away what it had made ready. Nothing when there is none. */
export async function finishSwap(state: string): Promise<void> {
  const text = await readTextIfExists(journalOf(state));
  if (text === undefined) return;
  const plan = parsePlan(text);
  if (!plan)
    throw new Fault("storage", `${journalOf(state)} cannot be read: the restore it is about cannot be finished`, {
      next: `look at ${join(state, restoreFolder)}: "new" and "old" hold what was to come and what was to go`,
    });
  if (plan.isReady) await carryOut(state, plan, () => {});
  // the journal goes last
  else for (const { folder } of plan.roots.toReversed()) await clearReady(folder);
}

const clearReady = (folder: string) => rm(join(folder, restoreFolder), { recursive: true, force: true });

async function carryOut(state: string, plan: Swap, step: (name: string) => void): Promise<void> {
  for (const { folder } of plan.roots) {
    if (plan.from === undefined || !(await exists(pointOf(folder, plan.from)))) continue;
    step(`take ${folder}`);
    await rm(join(pointOf(folder, plan.from), pointFile), { force: true });
    await move(pointOf(folder, plan.from), newOf(folder));
  }
  for (const root of plan.roots)
    // what is kept already was exchanged before
    if (!(await exists(pointOf(root.folder, plan.stamp)))) await exchange(root, step);
  for (const { folder } of plan.roots) {
    step(`keep ${folder}`);
    const old = oldOf(folder);
    if (await exists(old)) await rename(old, pointOf(folder, plan.stamp));
    await syncFolder(folder);
  }
  if (await exists(pointOf(state, plan.stamp)))
    await writeFileAtomic(join(pointOf(state, plan.stamp), pointFile), `${JSON.stringify(plan)}\n`);
  // the journal goes last: all before it can be done again
  for (const { folder } of plan.roots.toReversed()) {
    step(`clear ${folder}`);
    await rm(newOf(folder), { recursive: true, force: true });
    await rm(journalOf(folder), { force: true });
    await rmdir(join(folder, restoreFolder)).catch(() => undefined);
  }
}

async function exchange({ folder, old, new: coming }: SwapRoot, step: (name: string) => void): Promise<void> {
  for (const name of old) {
    const kept = join(oldOf(folder), name);
    if ((await exists(kept)) || !(await exists(join(folder, name)))) continue;
    step(`old ${name}`);
    await move(join(folder, name), kept);
  }
  for (const name of coming) {
    const ready = join(newOf(folder), name);
    if (!(await exists(ready))) continue;
    const place = join(folder, name);
    // made by somebody between a swap that was cut off and this one
    if (await exists(place)) await move(place, `${join(oldOf(folder), name)}${meanwhile}`);
    step(`new ${name}`);
    await move(ready, place);
  }
}

async function move(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await rename(from, to);
  await syncFolder(dirname(to));
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

function parsePlan(text: string): (Swap & { readonly isReady: boolean }) | undefined {
  const value = parseJson(text);
  if (!isRecord(value) || typeof value["stamp"] !== "string" || !Array.isArray(value["roots"])) return undefined;
  // written by swap, beside the state and readable by its owner alone
  return value as unknown as Swap & { readonly isReady: boolean };
}

/** The newest of what restores replaced, as a swap that puts it back; undefined when there is none. */
export async function findPoint(state: string): Promise<Swap | undefined> {
  const names = (await readdir(state)).filter((name) => name.startsWith(pointPrefix)).toSorted();
  for (const name of names.toReversed()) {
    const plan = parsePlan((await readTextIfExists(join(state, name, pointFile))) ?? "");
    if (plan)
      return {
        ...plan,
        from: plan.stamp,
        roots: await Promise.all(plan.roots.map((root) => reverse(root, plan.stamp))),
      };
  }
  return undefined;
}

async function reverse({ folder, isWhole, old, new: brought }: SwapRoot, stamp: string): Promise<SwapRoot> {
  const kept = await readdir(pointOf(folder, stamp)).catch(() => []);
  return { folder, isWhole, old: brought, new: [...old, ...kept.filter((name) => name.endsWith(meanwhile))] };
}
