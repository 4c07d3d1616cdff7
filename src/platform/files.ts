// Files written so that a crash leaves the old one or the new one, never a third thing; private by default.

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, mkdir, open, readFile, realpath, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";

import { isCode } from "../base/error-code.ts";

/** Makes the folder and its parents; the folder itself gets `mode` when it is new. */
export async function ensureFolder(path: string, mode = 0o700): Promise<void> {
  const created = await mkdir(path, { recursive: true, mode });
  if (created !== undefined) await chmod(path, mode);
}

/** For reading: a pipe without a writer would hold the thread that opens it for ever, and with it the process. Windows knows no such flag. */
export const readWithoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** undefined when there is no such file; a pipe that nobody writes into is empty. */
export async function readTextIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, { encoding: "utf8", flag: readWithoutWaiting });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Where a link leads to; the path itself when nothing is there. A file that is renamed into place would replace the link. */
export async function followLink(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isMissing(error)) return path;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return isCode(error, "ENOENT", "ENOTDIR");
}

/**
 * Temporary file in the same folder, fsync, rename, fsync of the folder. The folder must exist. `isStill` is asked right before the
 * rename: when it says no, nothing is written.
 * @returns false when nothing was.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: { mode?: number; isStill?: () => Promise<boolean> } = {},
): Promise<boolean> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", options.mode ?? 0o600);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    if ((await options.isStill?.()) === false) {
      await unlink(temporary);
      return false;
    }
    await rename(temporary, path);
  } catch (error) {
    // what went wrong first is what its reader must know
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
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
