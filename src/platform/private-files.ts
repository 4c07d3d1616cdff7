// Secrets on the disk: 0600 in a folder of 0700, written atomically.

import { randomBytes } from "node:crypto";
import { chmod, link, open, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";

import { isCode } from "../base/error-code.ts";
import type { PrivateFiles } from "../ports/files.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "./files.ts";

export function createPrivateFiles(): PrivateFiles {
  return {
    async read(path) {
      const text = await readTextIfExists(path);
      if (text !== undefined) await closeToOthers(path);
      return text;
    },
    async write(path, text) {
      await ensureFolder(dirname(path));
      await writeFileAtomic(path, text);
    },
    create: createOnce,
  };
}

/** A copy or a backup may have come back with the modes of another time. */
async function closeToOthers(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const { mode, uid } = await stat(path);
  // somebody else's file (a mounted secret) keeps the modes they chose
  if ((mode & 0o077) !== 0 && uid === process.getuid?.()) await chmod(path, 0o600);
}

async function createOnce(path: string, text: string): Promise<boolean> {
  await ensureFolder(dirname(path));
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  await writeFileAtomic(temporary, text);
  try {
    // unlike a rename this fails when there is one, and unlike an exclusive open nobody sees half of it
    await link(temporary, path);
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    if (isCode(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK")) return await createExclusively(path, text);
    throw error;
  } finally {
    await unlink(temporary);
  }
}

/** For file systems without hard links. */
async function createExclusively(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** The disk is full, or not ours to write: what is only kept to be quicker or nicer may be left out. */
export function isNotWritable(error: unknown): boolean {
  return isCode(error, "EROFS", "EACCES", "EPERM", "ENOSPC", "EDQUOT");
}
