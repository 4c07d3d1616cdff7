// Tells that files may have changed: by the system's word, and by looking now and then, since that word does not come on every
// file system, nor when a link elsewhere is turned to another file.

import { watch, type FSWatcher } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";

import type { Clock, Timer } from "../base/clock.ts";
import { reasonOf } from "../base/error-code.ts";

export interface FileWatch {
  start(): Promise<void>;
  /** The list of paths has changed: those that are new are watched from now on, not only from the next look. */
  refresh(): Promise<void>;
  /** `onChange` is not called afterwards. */
  stop(): void;
}

export interface FileWatchOptions {
  /** Asked for with each look. */
  readonly paths: () => readonly string[];
  readonly clock: Clock;
  /** May be called for nothing, and several times for one change. */
  readonly onChange: () => void;
  /** How often it is looked, absent: every 3 seconds. */
  readonly pollMs?: number;
  /** The system's word is not asked for. */
  readonly isPollingOnly?: boolean;
}

const defaultPollMs = 3_000;

interface WatchedFolder {
  readonly watcher: FSWatcher;
  /** A folder that was made anew needs a new watcher. */
  readonly inode: number;
}

export function createFileWatch(options: FileWatchOptions): FileWatch {
  const { paths, clock, onChange, pollMs = defaultPollMs, isPollingOnly = false } = options;
  const folders = new Map<string, WatchedFolder>();
  let wanted: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  let seen: ReadonlyMap<string, string> = new Map();
  let timer: Timer | undefined;
  let isStopped = false;

  const drop = (folder: string) => {
    folders.get(folder)?.watcher.close();
    folders.delete(folder);
  };
  /** Folders are watched, not the file: an editor puts a new file in its place. */
  const arm = async () => {
    const names = new Map<string, Set<string>>();
    for (const path of paths()) {
      const target = await realpath(path).catch(() => path);
      for (const place of [path, target]) {
        const known = names.get(dirname(place)) ?? new Set();
        names.set(dirname(place), known.add(basename(place)));
      }
    }
    wanted = names;
    for (const folder of folders.keys()) if (!wanted.has(folder)) drop(folder);
    for (const folder of names.keys()) {
      const inode = await stat(folder).then(
        (found) => found.ino,
        () => undefined,
      );
      if (folders.get(folder)?.inode === inode) continue;
      drop(folder);
      if (inode === undefined || isStopped) continue;
      try {
        const watcher = watch(folder, { persistent: false }, (_event, name) => {
          if (name === null || wanted.get(folder)?.has(name)) onChange();
        });
        watcher.on("error", () => drop(folder));
        folders.set(folder, { watcher, inode });
      } catch {
        // too many watchers, or a file system without: looking remains
      }
    }
  };
  const look = async () => {
    const now = new Map<string, string>();
    for (const path of paths()) now.set(path, await fingerprint(path));
    if (!isPollingOnly) await arm();
    if (isStopped) return;
    // one that is new to the list was read when it came into it
    if ([...now].some(([path, print]) => (seen.get(path) ?? print) !== print)) onChange();
    seen = now;
    timer = clock.after(pollMs, () => void look());
  };

  return {
    async start() {
      isStopped = false;
      await look();
    },
    async refresh() {
      if (!isPollingOnly && !isStopped) await arm();
    },
    stop() {
      isStopped = true;
      timer?.cancel();
      for (const folder of folders.keys()) drop(folder);
    },
  };
}

/** Never throws: a file that cannot be looked at is a state too. */
async function fingerprint(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch (error) {
    return reasonOf(error);
  }
}
