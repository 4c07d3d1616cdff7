// Puts a backup in the place of an installation: checked first, made ready beside what it replaces, then swapped entry by entry.
// What was there is kept as a restore point and can be put back.

import { lstat, mkdir, open, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { Clock } from "../base/clock.ts";
import { isCode } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";
import { checkDatabase, isDatabase } from "../platform/database-copy.ts";
import { ensureFolder, followLink } from "../platform/files.ts";
import { openLock } from "../platform/lock.ts";
import type { Manifest } from "./manifest.ts";
import { decideBelonging, isRestores, type Places } from "./places.ts";
import { readBackup } from "./read.ts";
import { announceSwap, findPoint, finishSwap, freeStamp, newOf, swap, type SwapRoot } from "./swap.ts";

export interface RestoreOptions {
  readonly archive: string;
  readonly places: Places;
  /** The state folder's lock. */
  readonly lock: string;
  readonly clock: Clock;
  /** Hears of each change of the swap before it happens. */
  readonly step?: (name: string) => void;
}

export interface RestorePlan {
  readonly manifest: Manifest;
  readonly roots: readonly PlannedRoot[];
}

export interface PlannedRoot {
  /** What of the archive comes here: `state`, `config`, `workspace/0`. */
  readonly part: string;
  readonly folder: string;
  /** Paths below the folder. */
  readonly replaces: readonly string[];
  readonly brings: readonly string[];
  /** All that is in the folder goes, not only what is brought. */
  readonly isWhole: boolean;
  /** What the main config file is called in the archive, and here. */
  readonly renamed?: { readonly from: string; readonly to: string };
}

/** @throws Fault `invalid_params` that names what is wrong with the archive. */
export async function planRestore({ archive, places }: RestoreOptions): Promise<RestorePlan> {
  const entries: string[] = [];
  const { manifest, problems } = await readBackup(archive, (entry) => {
    entries.push(entry.path);
    return Promise.resolve();
  });
  if (!manifest || problems[0] !== undefined) throw unusable(archive, problems);
  const config = await planConfig(entries, manifest, places);
  const roots = [config];
  if (manifest.scope === "all") roots.unshift(await planState(entries, places, config));
  for (const index of manifest.workspaces.keys()) roots.push(await planWorkspace(entries, index, { manifest, places }));
  return { manifest, roots: roots.filter(({ brings, replaces }) => brings.length + replaces.length > 0) };
}

/** Names in the first folder below `part`. */
function topNames(entries: readonly string[], part: string): readonly string[] {
  const below = entries.filter((path) => path.startsWith(`${part}/`)).map((path) => path.slice(part.length + 1));
  return [...new Set(below.map((path) => path.split("/")[0] ?? ""))];
}

async function planState(entries: readonly string[], places: Places, config: PlannedRoot): Promise<PlannedRoot> {
  const folder = await followLink(places.state);
  // the config is a part of its own, wherever it stands
  const isConfig = (name: string) => config.folder === folder && config.brings.includes(name);
  const brings = topNames(entries, "state").filter((name) => decideBelonging(name) === "copied" && !isConfig(name));
  const main = await followLink(places.config);
  const replaces = await listState(folder, main);
  return { part: "state", folder, replaces, brings, isWhole: true };
}

/** What of a state folder goes when it is replaced. Links are in no backup, and stay, as does the main config file. */
async function listState(folder: string, main: string): Promise<string[]> {
  const there = (await present(folder)).filter((entry) => !entry.isSymbolicLink());
  return there
    .map(({ name }) => name)
    .filter((name) => decideBelonging(name) !== "kept" && join(folder, name) !== main);
}

async function planConfig(entries: readonly string[], { config }: Manifest, places: Places): Promise<PlannedRoot> {
  const real = await followLink(places.config);
  const folder = dirname(real);
  const names = entries.filter((path) => path.startsWith("config/")).map((path) => path.slice("config/".length));
  // the main file takes the name that is looked for here
  const brings = names.map((name) => (name === config ? basename(real) : name));
  const replaces: string[] = [];
  for (const name of brings) if (await lstat(join(folder, name)).catch(() => undefined)) replaces.push(name);
  const renamed = config === null ? {} : { renamed: { from: config, to: basename(real) } };
  return { part: "config", folder, replaces, brings, isWhole: false, ...renamed };
}

async function planWorkspace(
  entries: readonly string[],
  index: number,
  { manifest, places }: { manifest: Manifest; places: Places },
): Promise<PlannedRoot> {
  const part = `workspace/${index}`;
  const { path = "", isDefault = false } = manifest.workspaces[index] ?? {};
  const own = places.workspaces[0];
  // a place that only the archive names could be anywhere
  const elsewhere = join(places.state, `workspace-restored-${index}`);
  const known = isDefault ? own : places.workspaces.find((workspace) => workspace === path);
  const folder = await followLink(known ?? elsewhere);
  return {
    part,
    folder,
    replaces: await listWorkspace(folder),
    brings: topNames(entries, part).filter(isOurs),
    isWhole: true,
  };
}

const isOurs = (name: string) => !isRestores(name);

async function listWorkspace(folder: string): Promise<string[]> {
  return (await present(folder)).map(({ name }) => name).filter(isOurs);
}

async function present(folder: string) {
  return readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isCode(error, "ENOENT")) return [];
    throw error;
  });
}

export interface Restored {
  /** Where the old entries of the state are kept. */
  readonly point: string;
}

/** @throws Fault `already_running` while a Gateway runs on the state, `storage` when a folder cannot be written. */
export async function restoreBackup(plan: RestorePlan, options: RestoreOptions): Promise<Restored> {
  const { archive, clock, lock, places } = options;
  return underLock(places.state, lock, async (state) => {
    const roots = [...plan.roots];
    // the journal is kept in the state, even when nothing else of it changes
    if (roots[0]?.folder !== state)
      roots.unshift({ part: "journal", folder: state, replaces: [], brings: [], isWhole: false });
    const merged = mergeRoots(roots);
    const folders = merged.map(({ folder }) => folder);
    const planned = { stamp: await freeStamp(folders, toStamp(clock)), roots: merged };
    await announceSwap(state, planned);
    try {
      for (const folder of folders) await mkdir(newOf(folder), { recursive: true, mode: 0o700 });
      await makeReady(archive, plan);
    } catch (error) {
      await finishSwap(state);
      throw error;
    }
    return { point: await swap(state, planned, options.step) };
  });
}

/** Two parts may go into one folder: the config often stands in the state. */
function mergeRoots(roots: readonly PlannedRoot[]): SwapRoot[] {
  const merged = new Map<string, SwapRoot>();
  for (const { folder, replaces, brings, isWhole } of roots) {
    const before = merged.get(folder);
    merged.set(folder, {
      folder,
      isWhole: isWhole || before?.isWhole === true,
      old: [...new Set([...(before?.old ?? []), ...replaces])],
      new: [...new Set([...(before?.new ?? []), ...brings])],
    });
  }
  return [...merged.values()];
}

/** Unpacks into the folders' own file system, and checks once more what is on the disk then. */
async function makeReady(archive: string, { roots }: RestorePlan): Promise<void> {
  const { problems } = await readBackup(archive, async (entry, bytes) => {
    const place = placeOf(entry.path, roots);
    if (place === undefined) return;
    const isWorkspace = entry.path.startsWith("workspace/");
    if (entry.kind === "folder") {
      await mkdir(place, { recursive: true, mode: 0o700 });
      return;
    }
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    // `wx`: never over anything, and never through a link
    const file = await open(place, "wx", isWorkspace ? entry.mode | 0o600 : 0o600);
    try {
      for await (const chunk of bytes) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    const [problem] = (await isDatabase(place)) ? checkDatabase(place) : [];
    if (problem !== undefined) throw unusable(archive, [`${entry.path}: ${problem}`]);
  });
  if (problems[0] !== undefined) throw unusable(archive, problems);
}

function placeOf(path: string, roots: readonly PlannedRoot[]): string | undefined {
  const root = roots.find(({ part }) => path.startsWith(`${part}/`));
  if (!root) return undefined;
  const name = path.slice(root.part.length + 1);
  if (name === root.renamed?.from) return join(newOf(root.folder), root.renamed.to);
  const isComing = root.part === "config" || root.brings.includes(name.split("/")[0] ?? "");
  return isComing ? join(newOf(root.folder), name) : undefined;
}

/** Puts back what the last restore replaced; what is there now is kept in its place. */
export async function undoRestore({ places, lock, clock, step }: Omit<RestoreOptions, "archive">): Promise<Restored> {
  return underLock(places.state, lock, async (state) => {
    const found = await findPoint(state);
    if (!found)
      throw new Fault("not_found", `no restore has been made here (${state})`, { next: "nothing to put back" });
    const roots: SwapRoot[] = [];
    for (const root of found.roots) {
      const { folder, old, isWhole } = root;
      const main = await followLink(places.config);
      const there = folder === state ? listState(folder, main) : listWorkspace(folder);
      roots.push({ ...root, old: [...new Set([...old, ...(isWhole ? await there : [])])] });
    }
    const folders = roots.map(({ folder }) => folder);
    const stamp = await freeStamp(folders, toStamp(clock));
    return { point: await swap(state, { ...found, stamp, roots }, step) };
  });
}

/** Finishes what an earlier restore was cut off in. @throws Fault `already_running` while that one lives. */
export async function finishRestore(state: string, lock: string): Promise<void> {
  await underLock(state, lock, () => Promise.resolve()).catch((error: unknown) => {
    if (!(error instanceof Fault && error.code === "already_running")) throw error;
    throw new Fault(error.code, `a restore into ${state} is under way`, {
      cause: error,
      next: "try again in a moment",
    });
  });
}

/** Alone on the state folder, with what an earlier restore was cut off in finished. */
export async function underLock<T>(folder: string, path: string, task: (state: string) => Promise<T>): Promise<T> {
  const state = await followLink(folder);
  await ensureFolder(state);
  const lock = await openLock(path).catch((error: unknown) => {
    if (!(error instanceof Fault && error.code === "already_running")) throw error;
    throw new Fault(error.code, error.message, { cause: error, next: "stop it first; nothing was changed" });
  });
  try {
    await finishSwap(state);
    return await task(state);
  } finally {
    lock.release();
  }
}

function unusable(archive: string, problems: readonly string[]): Fault {
  const [first = "it has no list", ...more] = problems;
  const rest = more.length > 0 ? ` (and ${more.length} more)` : "";
  return new Fault("invalid_params", `${archive} cannot be restored: ${first}${rest}`, {
    next: "nothing was changed; backup verify lists all that is wrong with it",
  });
}

export const toStamp = (clock: Clock): string => new Date(clock.now()).toISOString().replaceAll(/[:.]/gu, "-");
