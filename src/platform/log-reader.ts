// Reads the log on and on: over midnight, and when a full file is put aside, it finishes the file that it was in before it begins
// the next, so that nothing is left out and nothing told twice.

import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import {
  defaultLimit,
  defaultMaxBytes,
  idOf,
  tailFile,
  tailWithId,
  type Tail,
  type Tailed,
  type TailRequest,
} from "./log-tail.ts";

export interface LogReader {
  /** With the cursor of its last answer it goes on there; with another or none it is a look at the newest lines. */
  read(request: TailRequest): Promise<Tail>;
}

/** `locate`: the file that is written to now. */
export function createLogReader(locate: () => string): LogReader {
  let last: Tailed | undefined;
  return {
    async read(request) {
      const isGoingOn = last?.id !== undefined && request.cursor === last.tail.cursor;
      const found = isGoingOn && last ? await goOn(locate(), last, request) : await tailWithId(locate(), request);
      last = found;
      return found.tail;
    },
  };
}

async function goOn(file: string, last: Tailed, request: TailRequest): Promise<Tailed> {
  const now = await tailFile(file, request);
  if (now?.id === last.id && now) return now;
  const { rest, behind } = await findLeft(last, file, request);
  if (!rest) return markReset(await tailWithId(file, { ...request, cursor: undefined }));
  // the one written to is not there before its first line
  const after = await Promise.all([...behind, file].map((path) => tailFile(path, { ...request, cursor: 0 })));
  return joinTails([rest, ...after.filter((tailed) => tailed !== undefined)], request);
}

/** What is left of the file that was read before, whatever it is called now, and the files between it and the one written to. */
async function findLeft(
  { tail, id }: Tailed,
  file: string,
  request: TailRequest,
): Promise<{ rest: Tailed | undefined; behind: readonly string[] }> {
  const folder = dirname(tail.file);
  const isFamily = toFamily(basename(tail.file));
  const names = (await readdir(folder).catch(() => [])).filter(isFamily);
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const stats = await stat(path).catch(() => undefined);
      return stats?.isFile() ? [{ path, id: idOf(stats), mtimeMs: stats.mtimeMs }] : [];
    }),
  );
  const ordered = files.flat().toSorted((a, b) => a.mtimeMs - b.mtimeMs || a.path.localeCompare(b.path));
  const at = ordered.findIndex((candidate) => candidate.id === id);
  const own = ordered[at];
  if (!own) return { rest: undefined, behind: [] };
  const behind = ordered.slice(at + 1).filter(({ path }) => path !== file);
  return { rest: await tailFile(own.path, request), behind: behind.map(({ path }) => path) };
}

/** Files of other days and those that were put aside, but none of another profile. */
function toFamily(name: string): (other: string) => boolean {
  const dated = /^(.*)-\d{4}-\d{2}-\d{2}\.log(?:\.\d+)?$/u;
  const prefix = dated.exec(name)?.[1];
  if (prefix !== undefined) return (other) => dated.exec(other)?.[1] === prefix;
  const own = name.replace(/\.\d+$/u, "");
  return (other) => other === own || (other.startsWith(`${own}.`) && /^\d+$/u.test(other.slice(own.length + 1)));
}

/** As one answer, within the limits of one. */
function joinTails(parts: readonly [Tailed, ...Tailed[]], request: TailRequest): Tailed {
  const newest = parts.at(-1) ?? parts[0];
  if (parts.length === 1) return newest;
  const tails = parts.map(({ tail }) => tail);
  const all = tails.flatMap(({ lines }) => lines);
  const lines = all.slice(-(request.limit ?? defaultLimit));
  let bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  while (bytes > (request.maxBytes ?? defaultMaxBytes)) bytes -= Buffer.byteLength(lines.shift() ?? "") + 1;
  const isTruncated = lines.length < all.length || tails.some(({ truncated }) => truncated === true);
  const { file, cursor, size } = newest.tail;
  return {
    id: newest.id,
    tail: { file, cursor, size, lines, ...(isTruncated ? { truncated: true, reset: true } : {}) },
  };
}

const markReset = ({ tail, id }: Tailed): Tailed => ({ id, tail: { ...tail, reset: true } });
