// Files of one folder for strangers: a path of a URL becomes an open handle, or nothing. What was opened is judged, not what a name
// said a moment before, so that links which are moved meanwhile lead nowhere.

import type { BigIntStats } from "node:fs";
import { open, readlink, realpath, stat, type FileHandle } from "node:fs/promises";
import { extname, join, sep } from "node:path";

import { codeOf } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";
import { readWithoutWaiting } from "./files.ts";

/** An open file. Whoever has it closes it, or has it sent, which closes it. */
export interface StaticFile {
  /** Of the name's ending; `application/octet-stream` for one that is not known. */
  readonly mimeType: string;
  /** Bytes, when it was opened. */
  readonly size: number;
  /** Another one as soon as the content was written anew; with its quotes. */
  readonly etag: string;
  /** All of it. @throws Fault `internal` when it became shorter meanwhile. */
  read(): Promise<Buffer>;
  /** The same in parts. */
  parts(): AsyncGenerator<Buffer, void>;
  close(): Promise<void>;
}

const partBytes = 64 * 1024;

const mimeTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".htm": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".txt": "text/plain; charset=utf-8",
  ".md": "text/markdown; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".xml": "application/xml; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".avif": "image/avif",
  ".ico": "image/x-icon",
  ".woff": "font/woff",
  ".woff2": "font/woff2",
  ".ttf": "font/ttf",
  ".wasm": "application/wasm",
  ".pdf": "application/pdf",
  ".mp3": "audio/mpeg",
  ".wav": "audio/wav",
  ".ogg": "audio/ogg",
  ".mp4": "video/mp4",
  ".webm": "video/webm",
};

/** Separators of any system, and controls. */
// oxlint-disable-next-line no-control-regex -- controls are what is looked for
const forbidden = /[/\\\u0000-\u001F\u007F]/u;
/** Names that are no files of the folder on Windows: drives and streams, devices. */
const forbiddenOnWindows = /:|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu;

/**
 * The names in the path of a URL, decoded once; the last is empty for a folder (`/a/` is `["a", ""]`).
 * @returns undefined for what no file of ours is called: `..`, hidden names, broken escapes, separators that were escaped.
 */
export function parseStaticPath(path: string): readonly string[] | undefined {
  const names = path.replace(/^\//u, "").split("/").map(decode);
  const isGood = names.every((name, index) => name !== undefined && isName(name, index === names.length - 1));
  return isGood ? names.filter((name) => name !== undefined) : undefined;
}

function isName(name: string, isLast: boolean): boolean {
  if (name === "") return isLast;
  return !name.startsWith(".") && !/[. ]$/u.test(name) && !forbidden.test(name);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // half of an escape names nothing
    return undefined;
  }
}

/** Opens nothing, or says that it is not there, for these; anything else is trouble of our own. */
const notThere: ReadonlySet<unknown> = new Set(
  "ENOENT ENOTDIR EACCES EPERM ELOOP ENAMETOOLONG EISDIR ENXIO EINVAL".split(" "),
);

/**
 * Opens a plain file. `root` is a real path (`realpath`), found once by who serves it; below another it finds nothing. `names` as
 * `parseStaticPath` gives them, without an empty one. Links inside of the root are followed, those that leave it are not there.
 * @throws Fault `overloaded` when the process has too many files open.
 */
export async function openStaticFile(
  root: string,
  names: readonly string[],
): Promise<StaticFile | "folder" | undefined> {
  if (process.platform === "win32" && names.some((name) => forbiddenOnWindows.test(name))) return undefined;
  const path = join(root, ...names);
  const handle = await openIfThere(path);
  if (!handle) return undefined;
  try {
    const found = await handle.stat({ bigint: true });
    const place = await placeOf(handle, found, path);
    if (place !== undefined && (place === root || place.startsWith(root.endsWith(sep) ? root : root + sep))) {
      if (found.isFile()) return createStaticFile(handle, found, path);
      if (found.isDirectory()) {
        await handle.close();
        return "folder";
      }
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, readWithoutWaiting);
  } catch (error) {
    const code = codeOf(error);
    if (notThere.has(code)) return undefined;
    if (code === "EMFILE" || code === "ENFILE")
      throw new Fault("overloaded", "too many files are open", { retryAfterMs: 1_000, cause: error });
    throw error;
  }
}

/** Where an open file is. Linux says it of the handle; elsewhere the place must still hold the same file. */
async function placeOf(handle: FileHandle, found: BigIntStats, path: string): Promise<string | undefined> {
  if (process.platform === "linux") {
    const place = await orAbsent(readlink(`/proc/self/fd/${handle.fd}`));
    if (place !== undefined) return place;
  }
  const place = await orAbsent(realpath(path));
  const there = place === undefined ? undefined : await orAbsent(stat(place, { bigint: true }));
  const isSame = there?.dev === found.dev && there.ino === found.ino;
  return isSame && (await orAbsent(realpath(place ?? path))) === place ? place : undefined;
}

async function orAbsent<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (notThere.has(codeOf(error))) return undefined;
    throw error;
  }
}

function createStaticFile(handle: FileHandle, found: BigIntStats, path: string): StaticFile {
  const size = Number(found.size);
  async function* parts() {
    for (let at = 0; at < size;) {
      const length = Math.min(partBytes, size - at);
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
      if (bytesRead === 0) throw new Fault("internal", "the file became shorter while it was read");
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
  return {
    mimeType: mimeTypes[extname(path).toLowerCase()] ?? "application/octet-stream",
    size,
    etag: `"${found.size.toString(36)}-${found.mtimeNs.toString(36)}-${found.ino.toString(36)}"`,
    parts,
    async read() {
      const all: Buffer[] = [];
      for await (const part of parts()) all.push(part);
      return Buffer.concat(all);
    },
    close: () => handle.close(),
  };
}
