// A file is replaced that others save as well, who take no lock: editors. What was replaced is looked at afterwards, and a save that
// came in that very moment goes back into its place.
//
// No call that Node has replaces a file only if it is still the one that was read (Linux has one: RENAME_EXCHANGE). To move the file
// away first would keep any save, and leave no file at all behind a kill. So the old file is opened in the call right before the
// rename: lost is only what an editor renames into place between these two, microseconds apart.

import { closeSync, openSync, read as readCallback, renameSync } from "node:fs";
import { link, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

import { sleep, type Clock } from "../base/clock.ts";
import { codeOf, isCode } from "../base/error-code.ts";
import { orRemove, readTextIfExists, readWithoutWaiting, syncFolder, writeTemporary } from "./files.ts";

interface Swap {
  /** What has to be there; undefined: nothing. */
  readonly expected: string | undefined;
  /** Tells half of a save from a whole one: only that goes back. */
  readonly isWhole: (text: string) => boolean;
  readonly clock: Clock;
}

/** An editor that writes into the file itself is given this long to come to its end. */
const settleMs = 2_000;
const lookMs = 20;

/**
 * As `writeFileAtomic`. The folder must exist.
 * @returns false when something else is there: it was before, and nothing was written, or it came at the same time, and is there again.
 */
export async function swapFile(path: string, text: string, swap: Swap): Promise<boolean> {
  const temporary = await writeTemporary(path, text);
  const isDone = await orRemove(temporary, async () => {
    if ((await readTextIfExists(path)) !== swap.expected) return false;
    if (swap.expected === undefined) return putNew(temporary, path);
    return exchange(temporary, path, { ...swap, ours: text });
  });
  if (!isDone) await unlink(temporary).catch(() => undefined);
  return isDone;
}

/** Where nothing is, a link does not take the place of what comes meanwhile. */
async function putNew(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    if (codeOf(error) === undefined) throw error;
    // a file system without links
    renameSync(temporary, path);
    await syncFolder(dirname(path));
    return true;
  }
  await unlink(temporary);
  await syncFolder(dirname(path));
  return true;
}

async function exchange(temporary: string, path: string, swap: Swap & { readonly ours: string }): Promise<boolean> {
  // a file that is open cannot be replaced there
  if (process.platform === "win32") {
    renameSync(temporary, path);
    return true;
  }
  // nothing may come between: no promise, not even another line
  const before = openSync(path, readWithoutWaiting);
  try {
    renameSync(temporary, path);
    await syncFolder(dirname(path));
    const theirs = await readReplaced(before, swap);
    if (theirs === undefined) return true;
    // when something is there that is not ours any more, it is newer than both
    await swapFile(path, theirs, { ...swap, expected: swap.ours });
    return false;
  } finally {
    closeSync(before);
  }
}

/** @returns what somebody saved into the file that was replaced; undefined when it is what was expected, or never became whole. */
async function readReplaced(descriptor: number, { expected, isWhole, clock }: Swap): Promise<string | undefined> {
  let text = await readAll(descriptor);
  if (text === expected) return undefined;
  for (let waited = 0; waited < settleMs; waited += lookMs) {
    await sleep(clock, lookMs);
    const later = await readAll(descriptor);
    if (later === text && isWhole(text)) return text;
    text = later;
  }
  return undefined;
}

const readAt = promisify(readCallback);

async function readAll(descriptor: number): Promise<string> {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const { bytesRead, buffer } = await readAt(descriptor, Buffer.alloc(65_536), 0, 65_536, at);
    if (bytesRead === 0) return Buffer.concat(chunks).toString("utf8");
    chunks.push(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}
