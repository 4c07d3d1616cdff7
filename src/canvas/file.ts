// Opens a file below a folder and nowhere else: what counts is where the opened handle is, not what a path said before (S19, S23).

import { constants } from "node:fs";
import { lstat, open, readlink, realpath, type FileHandle } from "node:fs/promises";
import { join, relative, sep } from "node:path";

import { codeOf } from "../base/error-code.ts";

export interface OpenedFile {
  readonly handle: FileHandle;
  readonly size: number;
  /** Its real place. */
  readonly path: string;
}

/** A pipe must not hold up who opens it, nor a link that was put in place of a file be followed. Windows knows neither. */
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** `folder`: there is one of this name. Undefined: there is nothing that may be served. Whoever gets a handle closes it. */
export async function openInside(
  root: string,
  segments: readonly string[],
): Promise<OpenedFile | "folder" | undefined> {
  try {
    const realRoot = await realpath(root);
    const path = await realpath(join(realRoot, ...segments));
    if (!isInside(realRoot, path)) return undefined;
    if ((await lstat(path)).isDirectory()) return "folder";
    return await openChecked(realRoot, path);
  } catch (error) {
    // missing, a loop of links, too long a name, no right to read: none of it is told apart outside
    if (codeOf(error) !== undefined) return undefined;
    throw error;
  }
}

async function openChecked(realRoot: string, path: string): Promise<OpenedFile | undefined> {
  const handle = await open(path, flags);
  let isKept = false;
  try {
    const found = await handle.stat();
    const place = await placeOf(handle, path);
    isKept = found.isFile() && place !== undefined && isInside(realRoot, place);
    return isKept ? { handle, size: found.size, path } : undefined;
  } finally {
    if (!isKept) await handle.close();
  }
}

/** Where the opened file is. Linux knows; elsewhere the path must still lead, without any link, to the same file. */
async function placeOf(handle: FileHandle, path: string): Promise<string | undefined> {
  if (process.platform === "linux") {
    const place = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => undefined);
    if (place !== undefined) return place;
  }
  const place = await realpath(path);
  const [opened, named] = await Promise.all([handle.stat({ bigint: true }), lstat(place, { bigint: true })]);
  return opened.ino === named.ino && opened.dev === named.dev ? place : undefined;
}

/** Below the root, or the root itself, by names none of which is hidden. */
function isInside(realRoot: string, path: string): boolean {
  const below = relative(realRoot, path);
  if (below === "") return true;
  return path.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep) && !/(?:^|[/\\])\./u.test(below);
}
