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
import { logFileName, type LogPlace } from "./log-name.ts";

const maxFileBytes = 50 * 1024 * 1024;
const keptFiles = 14;
const totalBytes = 200 * 1024 * 1024;

const dated = /^-\d{4}-\d\d-\d\d\.log/u;

export interface Roll {
  readonly target: () => { path: string; maxBytes: number };
  /** Opens for appending; moves a full file aside and removes what is over the budget. Throws what the system says. */
  readonly open: (path: string) => { descriptor: number; size: number };
}

export function createRoll({ clock, ...place }: LogPlace & { readonly clock: Clock }): Roll {
  return {
    target: () => ({ path: logFileName({ ...place, now: clock.now() }), maxBytes: maxFileBytes }),
    open(path) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      let opened = openPrivate(path);
      if (opened.size >= maxFileBytes) {
        closeSync(opened.descriptor);
        renameSync(path, `${path}.${clock.now()}`);
        opened = openPrivate(path);
      }
      removeOld(path, place.prefix);
      return opened;
    },
  };
}

/** The folder may be below one that everybody can write to: links are not followed, and only we may own the file and read it. */
function openPrivate(path: string): { descriptor: number; size: number } {
  // undefined on systems without links of that kind
  const noFollow = constants.O_NOFOLLOW ?? 0;
  const descriptor = openSync(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | noFollow, 0o600);
  try {
    const { uid, mode, size } = fstatSync(descriptor);
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

/** Files of other days, and what was moved aside from this one. */
function removeOld(current: string, prefix: string): void {
  const folder = dirname(current);
  const own = basename(current);
  const isDated = own.startsWith(prefix) && dated.test(own.slice(prefix.length));
  const isOurs = (name: string) =>
    isDated
      ? name.startsWith(prefix) && dated.test(name.slice(prefix.length))
      : name === own || (name.startsWith(own) && /^\.\d+$/u.test(name.slice(own.length)));
  const files = readdirSync(folder)
    .filter(isOurs)
    .flatMap((name) => {
      const path = join(folder, name);
      const found = statSync(path, { throwIfNoEntry: false });
      return found ? [{ path, size: found.size, mtimeMs: found.mtimeMs }] : [];
    })
    .toSorted((a, b) => b.mtimeMs - a.mtimeMs);
  let sum = 0;
  for (const [index, file] of files.entries()) {
    sum += file.size;
    if (file.path === current || (index < keptFiles && sum <= totalBytes)) continue;
    try {
      unlinkSync(file.path);
    } catch {
      // gone meanwhile, or not ours to remove: that must not keep the log from being written
    }
  }
}
