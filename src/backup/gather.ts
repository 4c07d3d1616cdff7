// Looks for what goes into a backup. Links are not followed: what they lead to may be anybody's.

import { lstat, readdir } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";

import { isCode } from "../base/error-code.ts";
import { evaluateText } from "../config/evaluate.ts";
import { followLink, readTextIfExists } from "../platform/files.ts";
import { isSafePath, type ManifestWorkspace } from "./manifest.ts";
import { decideBelonging, isLeftOut, isRestores, type Places } from "./places.ts";

export interface Source {
  /** On the disk. */
  readonly from: string;
  /** In the archive. */
  readonly path: string;
  readonly kind: "file" | "folder";
  readonly mode: number;
  /** Bytes when it was looked at. */
  readonly size: number;
}

export interface Gathered {
  readonly sources: readonly Source[];
  /** Name of the main config file below `config/`. */
  readonly config: string | null;
  /** Places of `workspace/0`, `workspace/1` … */
  readonly workspaces: readonly ManifestWorkspace[];
  readonly skipped: readonly string[];
}

export interface Wanted {
  readonly places: Places;
  readonly scope: "all" | "config";
  readonly hasWorkspaces: boolean;
  /** Files and folders that are none of it, such as the archive itself; absolute. */
  readonly except: readonly string[];
}

export async function gather({ places, scope, hasWorkspaces, except }: Wanted): Promise<Gathered> {
  const skipped: string[] = [];
  const files = await findConfigFiles(places.config);
  const sources = await toSources(files, skipped);
  const main = files[0] === undefined ? null : basename(files[0]);
  if (scope === "config") return { sources, config: main, workspaces: [], skipped };

  const walk = createWalk({ taken: new Set([...files, ...except]), skipped });
  const state = await followLink(places.state);
  const roots = new Set(await Promise.all(places.workspaces.map(followLink)));
  for (const entry of await list(state)) {
    const path = join(state, entry);
    if (decideBelonging(entry) === "copied" && !roots.has(path)) await walk(path, `state/${entry}`, sources);
  }
  const workspaces = hasWorkspaces ? await existing(places.workspaces) : [];
  for (const [index, { path }] of workspaces.entries()) {
    const folder = await followLink(path);
    for (const entry of await list(folder))
      if (!isRestores(entry)) await walk(join(folder, entry), `workspace/${index}/${entry}`, sources);
  }
  return { sources, config: main, workspaces, skipped };
}

/** Of the config's files, the main one first. */
async function toSources(files: readonly string[], skipped: string[]): Promise<Source[]> {
  const folder = dirname(files[0] ?? "");
  const sources: Source[] = [];
  for (const from of files) {
    const path = `config/${relative(folder, from).split(sep).join("/")}`;
    if (isSafePath(path)) sources.push({ from, path, kind: "file", mode: 0o600, size: (await lstat(from)).size });
    else skipped.push(from);
  }
  return sources;
}

/** The main file first. Links among them are followed: what counts is what the Gateway reads. */
async function findConfigFiles(path: string): Promise<readonly string[]> {
  const real = await followLink(path);
  const text = await readTextIfExists(real);
  if (text === undefined) return [];
  const { parts } = await evaluateText(text, { path, variable: () => undefined });
  const found: string[] = [];
  for (const part of parts) {
    const there = await followLink(part);
    if ((await lstat(there).catch(() => undefined))?.isFile()) found.push(there);
  }
  return [...new Set([real, ...found])];
}

async function existing(folders: readonly string[]): Promise<ManifestWorkspace[]> {
  const found: ManifestWorkspace[] = [];
  for (const [index, path] of folders.entries()) {
    const there = await lstat(await followLink(path)).catch(() => undefined);
    if (there?.isDirectory()) found.push({ path, isDefault: index === 0 });
  }
  return found;
}

async function list(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function createWalk({ taken, skipped }: { taken: ReadonlySet<string>; skipped: string[] }) {
  const walk = async (from: string, path: string, sources: Source[]): Promise<void> => {
    if (taken.has(from)) return;
    const found = await lstat(from).catch((error: unknown) => {
      // it was there a moment ago: temporary files come and go beside a running Gateway
      if (isGone(error)) return undefined;
      throw error;
    });
    if (!found) return;
    const mode = found.mode & 0o777;
    if (!isSafePath(path) || path.includes("\uFFFD") || !(found.isFile() || found.isDirectory())) {
      skipped.push(from);
    } else if (found.isFile()) {
      sources.push({ from, path, kind: "file", mode, size: found.size });
    } else {
      sources.push({ from, path, kind: "folder", mode, size: 0 });
      const isState = path.startsWith("state/");
      const names = await list(from);
      const beside = new Set(names);
      for (const name of names)
        if (!isLeftOut(name, beside, isState)) await walk(join(from, name), `${path}/${name}`, sources);
    }
  };
  return walk;
}

const isGone = (error: unknown) => isCode(error, "ENOENT");
