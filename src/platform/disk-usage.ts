// What an instance takes on the disk: each folder of its state and its log, the largest first. Links are not followed, and workspaces
// belong to their agents: they are not counted.

import { lstat, readdir, statfs } from "node:fs/promises";
import { basename, join } from "node:path";

import { isDatedLog } from "./log-name.ts";
import type { Paths } from "./paths.ts";

export interface DiskPlace {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

export interface DiskUsage {
  readonly bytes: number;
  /** The largest first. */
  readonly places: readonly DiskPlace[];
  /** There are more files than are counted. */
  readonly isPartial: boolean;
}

/** Beyond these nothing is counted: it would take minutes. */
const maxFiles = 200_000;

export interface UsageOptions {
  readonly paths: Pick<Paths, "state" | "database" | "logs" | "logPrefix">;
  readonly workspaces: readonly string[];
}

/** Never throws: what cannot be read counts for nothing. */
export async function measureDisk({ paths, workspaces }: UsageOptions): Promise<DiskUsage> {
  const left = { files: maxFiles };
  const skipped = new Set(workspaces);
  const places = new Map<string, DiskPlace>();
  const add = (name: string, path: string, bytes: number) => {
    const known = places.get(name);
    places.set(name, { name, path: known?.path ?? path, bytes: (known?.bytes ?? 0) + bytes });
  };
  const database = basename(paths.database);
  for (const { name, path, isFolder } of await listFolder(paths.state)) {
    if (skipped.has(path) || isWorkspace(name)) continue;
    if (isFolder) add(name, path, await sizeOfFolder(path, skipped, left));
    else if (name.startsWith(database)) add("database", paths.database, await sizeOfFile(path, left));
    else add("other files", paths.state, await sizeOfFile(path, left));
  }
  if (!paths.logs.startsWith(`${paths.state}/`))
    for (const { name, path, isFolder } of await listFolder(paths.logs))
      if (!isFolder && isDatedLog(name, paths.logPrefix)) add("log", paths.logs, await sizeOfFile(path, left));
  const all = [...places.values()].toSorted((one, other) => other.bytes - one.bytes);
  return { bytes: all.reduce((sum, { bytes }) => sum + bytes, 0), places: all, isPartial: left.files <= 0 };
}

/** Those of other profiles and of agents that are gone stand here too. */
const isWorkspace = (name: string) => name === "workspace" || name.startsWith("workspace-");

/** Room for who may not use the last of it; undefined where nobody knows. */
export async function freeBytesOf(path: string): Promise<number | undefined> {
  const found = await statfs(path).catch(() => undefined);
  return found && found.bavail * found.bsize;
}

/** Of all files in it. */
export const sizeOf = (folder: string): Promise<number> => sizeOfFolder(folder, new Set(), { files: maxFiles });

async function sizeOfFolder(folder: string, skipped: ReadonlySet<string>, left: { files: number }): Promise<number> {
  let bytes = 0;
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined && left.files > 0; next = waiting.pop()) {
    if (skipped.has(next)) continue;
    const entries = await listFolder(next);
    waiting.push(...entries.filter(({ isFolder }) => isFolder).map(({ path }) => path));
    const files = entries.filter(({ isFolder }) => !isFolder).slice(0, Math.max(0, left.files));
    for (let index = 0; index < files.length; index += 64) {
      const some = files.slice(index, index + 64);
      const sizes = await Promise.all(some.map(({ path }) => sizeOfFile(path, left)));
      bytes += sizes.reduce((sum, size) => sum + size, 0);
    }
  }
  return bytes;
}

async function sizeOfFile(path: string, left: { files: number }): Promise<number> {
  left.files -= 1;
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() === true ? found.size : 0;
}

async function listFolder(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.map((entry) => ({
    name: entry.name,
    path: join(folder, entry.name),
    isFolder: entry.isDirectory(),
  }));
}
