// Which file takes the next log line: a new one each local day, or the one that was named, and a new one whenever it is full. Old
// ones go when there are too many.

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

import type { Clock } from "../base/clock.ts";
import { linkLog } from "./log-link.ts";
import { isDatedLog, logFileName, type LogPlace } from "./log-name.ts";

/** Asked for whenever they are needed. */
export interface RollLimits {
  /** A file of this size is put aside. */
  readonly maxFileBytes: number;
  /** Of all files together, the one being written included; at least one is always kept. */
  readonly maxTotalBytes: number;
  /** Files that nothing was written to for longer are removed. */
  readonly keepDays: number;
}

const mebibyte = 1024 * 1024;
const defaults: RollLimits = { maxFileBytes: 50 * mebibyte, maxTotalBytes: 200 * mebibyte, keepDays: 14 };
const dayMs = 24 * 60 * 60 * 1000;

export interface Roll {
  readonly target: () => { path: string; maxBytes: number };
  /** Opens for appending; moves a full file aside and removes what is over the budget. Throws what the system says. */
  readonly open: (path: string) => { descriptor: number; size: number };
}

export interface RollOptions extends LogPlace {
  readonly clock: Clock;
  readonly limits?: RollLimits;
  /** A link that leads to the newest file. */
  readonly link?: string;
}

export function createRoll(options: RollOptions): Roll {
  const { clock, folder, prefix, file } = options;
  const limits = () => options.limits ?? defaults;
  // one file never takes the whole budget: there would be nothing left of what was before it
  const maxBytes = () => Math.min(limits().maxFileBytes, Math.ceil(limits().maxTotalBytes / 2));
  return {
    target: () => ({ path: logFileName({ folder, prefix, file, now: clock.now() }), maxBytes: maxBytes() }),
    open(path) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      let opened = openPrivate(path);
      if (opened.size >= maxBytes()) {
        closeSync(opened.descriptor);
        renameSync(path, freeName(path, clock.now()));
        opened = openPrivate(path);
      }
      removeOld(path, { prefix, limits: limits(), now: clock.now() });
      if (options.link !== undefined) linkLog(options.link, path);
      return opened;
    },
  };
}

/** Two files may fill up within a millisecond. */
function freeName(path: string, now: number): string {
  let stamp = now;
  while (statSync(`${path}.${stamp}`, { throwIfNoEntry: false })) stamp += 1;
  return `${path}.${stamp}`;
}

/** The folder may be below one that everybody can write to: links are not followed, and only we may own the file and read it. */
function openPrivate(path: string): { descriptor: number; size: number } {
  // undefined on systems without links of that kind
  const noFollow = constants.O_NOFOLLOW ?? 0;
  const descriptor = openSync(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | noFollow, 0o600);
  try {
    const stats = fstatSync(descriptor);
    const { uid, mode, size } = stats;
    // a device or a pipe that somebody names is theirs as it is
    if (!stats.isFile()) return { descriptor, size: 0 };
    const own = process.getuid?.();
    if (own !== undefined && own !== 0 && uid !== own) throw new Error(`${path} belongs to another user`);
    if (own !== undefined && (mode & 0o077) !== 0) fchmodSync(descriptor, 0o600);
    return { descriptor, size: size + endLine(descriptor, size) };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** A full disk may have cut the last line short: the next one must not continue it. */
function endLine(descriptor: number, size: number): number {
  if (size === 0) return 0;
  const last = Buffer.alloc(1);
  readSync(descriptor, last, 0, 1, size - 1);
  return last[0] === 0x0a ? 0 : writeSync(descriptor, "\n");
}

interface Removing {
  readonly prefix: string;
  readonly limits: RollLimits;
  readonly now: number;
}

/** Files of other days, and what was moved aside from this one. */
function removeOld(current: string, { prefix, limits, now }: Removing): void {
  const folder = dirname(current);
  const own = basename(current);
  const isDated = isDatedLog(own, prefix);
  const isOurs = (name: string) =>
    isDated
      ? isDatedLog(name, prefix)
      : name === own || (name.startsWith(own) && /^\.\d+$/u.test(name.slice(own.length)));
  const files = readdirSync(folder)
    .filter(isOurs)
    .flatMap((name) => {
      const path = join(folder, name);
      const found = statSync(path, { throwIfNoEntry: false });
      return found ? [{ path, size: found.size, mtimeMs: found.mtimeMs }] : [];
    })
    .toSorted((a, b) => b.mtimeMs - a.mtimeMs);
  // room for the file that is about to be filled
  let sum = Math.min(limits.maxFileBytes, Math.ceil(limits.maxTotalBytes / 2));
  for (const file of files) {
    if (file.path === current) continue;
    if (sum + file.size <= limits.maxTotalBytes && now - file.mtimeMs <= limits.keepDays * dayMs) {
      sum += file.size;
      continue;
    }
    try {
      unlinkSync(file.path);
    } catch {
      // gone meanwhile, or not ours to remove: that must not keep the log from being written
    }
  }
}
