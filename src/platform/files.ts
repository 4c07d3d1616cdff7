// Files written so that a crash leaves the old one or the new one, never a third thing; private by default.

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, mkdir, open, readFile, readlink, realpath, rename, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { isCode } from "../base/error-code.ts";

/** Makes the folder and its parents; the folder itself gets `mode` when it is new. */
export async function ensureFolder(path: string, mode = 0o700): Promise<void> {
  const created = await mkdir(path, { recursive: true, mode });
  if (created !== undefined) await chmod(path, mode);
}

/** For reading: a pipe without a writer would hold the thread that opens it for ever, and with it the process. Windows knows no such flag. */
export const readWithoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** What to do when something in a folder cannot be written. */
export function adviseWriting(folder: string, cause: unknown): string {
  return isCode(cause, "EEXIST", "ENOTDIR")
    ? `${folder} has to be a folder: move away what is in its place`
    : `make ${folder} writable for this user, with room on its disk`;
}

/** undefined when there is no such file; a pipe that nobody writes into is empty. */
export async function readTextIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, { encoding: "utf8", flag: readWithoutWaiting });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Where a link leads to, also when nothing is there yet; the path itself when it is none. A file that is renamed into place would
 * replace the link.
 */
export async function followLink(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const target = await readlink(path).catch(() => undefined);
    return target === undefined ? path : followLink(resolve(dirname(path), target));
  }
}

function isMissing(error: unknown): boolean {
  return isCode(error, "ENOENT", "ENOTDIR");
}

/** Temporary file in the same folder, fsync, rename, fsync of the folder. The folder must exist. */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: { mode?: number } = {},
): Promise<void> {
  const temporary = await writeTemporary(path, data, options.mode);
  await orRemove(temporary, () => rename(temporary, path));
  await syncFolder(dirname(path));
}

/** A file beside `path` that is whole and on the disk; `mode` absent: 0600. @returns its path. */
export async function writeTemporary(path: string, data: string | Uint8Array, mode = 0o600): Promise<string> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  await orRemove(temporary, async () => {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
  });
  return temporary;
}

/** Nothing temporary stays when `task` fails. */
export async function orRemove<T>(temporary: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    // what went wrong first is what its reader must know
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** Makes the rename itself last. Windows and some network and FUSE file systems know no such thing for folders. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } catch (error) {
    if (!isCode(error, "EINVAL", "ENOTSUP")) throw error;
  } finally {
    await folder.close();
  }
}
