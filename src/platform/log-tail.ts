// The newest lines of the log, or those after a cursor. Used by the Gateway for `logs.tail` and by the CLI when it is down.

import { constants, type Stats } from "node:fs";
import { open, readdir, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { isCode } from "../base/error-code.ts";

export interface TailRequest {
  /** Byte offset of an earlier answer. */
  readonly cursor?: number | undefined;
  /** Lines, default 500. */
  readonly limit?: number;
  /** Bytes, default 250,000. */
  readonly maxBytes?: number;
}

export interface Tail {
  readonly file: string;
  /** After the last complete line: a line under way is read whole next time. */
  readonly cursor: number;
  readonly size: number;
  readonly lines: readonly string[];
  readonly truncated?: boolean;
  /** The cursor did not fit the file (it was rotated): these are its newest lines. */
  readonly reset?: boolean;
}

export const defaultLimit = 500;
export const defaultMaxBytes = 250_000;
const newline = 0x0a;
const dated = /-\d{4}-\d{2}-\d{2}\.log$/u;

/** What was read, and of which file, whatever that is called later. */
export interface Tailed {
  readonly tail: Tail;
  readonly id: string | undefined;
}

/** Reads `file`, or the newest dated log beside it when it is missing. No file at all gives no lines. */
export async function tailLog(file: string, request: TailRequest = {}): Promise<Tail> {
  return (await tailWithId(file, request)).tail;
}

/** The same, with the identity of the file that was read. */
export async function tailWithId(file: string, request: TailRequest): Promise<Tailed> {
  const found = (await tailFile(file, request)) ?? (await tailNewest(file, request));
  return found ?? { tail: { file, cursor: 0, size: 0, lines: [] }, id: undefined };
}

async function tailNewest(file: string, request: TailRequest): Promise<Tailed | undefined> {
  const folder = dirname(file);
  const prefix = basename(file).replace(dated, "");
  const names = await readdir(folder).catch(() => []);
  const candidates = names.filter((name) => dated.test(name) && name.replace(dated, "") === prefix).toSorted();
  const newest = candidates.at(-1);
  return newest === undefined ? undefined : tailFile(join(folder, newest), request);
}

/** Of this file alone; undefined when it is not there. @throws what is no file, and what may not be read. */
export async function tailFile(path: string, request: TailRequest): Promise<Tailed | undefined> {
  // to open a pipe would wait until somebody writes into it
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(ignoreMissing);
  if (!handle) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error(`${path} is no file`);
    return { tail: await tailHandle(handle, { path, size: stats.size }, request), id: idOf(stats) };
  } finally {
    await handle.close();
  }
}

async function tailHandle(
  handle: FileHandle,
  { path, size }: { readonly path: string; readonly size: number },
  request: TailRequest,
): Promise<Tail> {
  const { start, isCut, isSkipped, isReset } = decideRange(request, size);

  const { bytes, isLineStart } = await readFrom(handle, start, size);
  if (!isLineStart && !isCut) {
    // within a line longer than could be read at once, of which nobody has written the end yet
    if (!bytes.includes(newline)) return { file: path, cursor: start, size, lines: [] };
    // the cursor is another file's: what it points into is the middle of a line
    return { ...(await tailHandle(handle, { path, size }, { ...request, cursor: undefined })), reset: true };
  }
  // a line under way is not counted, and the first line is only a part unless it begins here
  const end = bytes.lastIndexOf(newline) + 1;
  const whole = bytes.toString("utf8", isLineStart ? 0 : bytes.indexOf(newline) + 1, end);
  const all = whole.split("\n").slice(0, -1);
  const lines = all.slice(-(request.limit ?? defaultLimit));
  return {
    file: path,
    cursor: start + end,
    size,
    lines,
    ...(isCut || lines.length < all.length ? { truncated: true } : {}),
    ...(isSkipped || isReset ? { reset: true } : {}),
  };
}

/** The same file, however often it is renamed. */
export const idOf = ({ dev, ino }: Stats): string => `${dev}:${ino}`;

interface Range {
  readonly start: number;
  /** It begins in the middle of the file because of the byte limit. */
  readonly isCut: boolean;
  /** Lines between the cursor and its beginning are left out. */
  readonly isSkipped: boolean;
  readonly isReset: boolean;
}

function decideRange({ cursor, maxBytes = defaultMaxBytes }: TailRequest, size: number): Range {
  const isReset = cursor !== undefined && cursor > size;
  const from = isReset ? undefined : cursor;
  const isCut = size - (from ?? 0) > maxBytes;
  return { start: isCut ? size - maxBytes : (from ?? 0), isCut, isSkipped: isCut && from !== undefined, isReset };
}

function ignoreMissing(error: unknown): undefined {
  if (isCode(error, "ENOENT")) return undefined;
  throw error;
}

/** From `start` on, and whether a line begins there. */
async function readFrom(
  handle: FileHandle,
  start: number,
  end: number,
): Promise<{ bytes: Buffer; isLineStart: boolean }> {
  const before = start > 0 ? 1 : 0;
  const buffer = Buffer.alloc(Math.max(0, end - start + before));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, start - before);
  return { bytes: buffer.subarray(before, bytesRead), isLineStart: before === 0 || buffer[0] === newline };
}
