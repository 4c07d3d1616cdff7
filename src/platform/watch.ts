// Tells that a file may have changed: by the system's word, and by looking now and then, since that word does not come on every
// file system, nor when a link elsewhere is turned to another file.

import { watch, type FSWatcher } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";

import type { Clock, Timer } from "../base/clock.ts";

export interface FileWatch {
  start(): Promise<void>;
  /** `onChange` is not called afterwards. */
  stop(): void;
}

export interface FileWatchOptions {
  readonly path: string;
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
  const { path, clock, onChange, pollMs = defaultPollMs, isPollingOnly = false } = options;
  const folders = new Map<string, WatchedFolder>();
  let names: ReadonlySet<string> = new Set();
  let seen: string | undefined;
  let timer: Timer | undefined;
  let isStopped = false;

  const drop = (folder: string) => {
    folders.get(folder)?.watcher.close();
    folders.delete(folder);
  };
  /** Folders are watched, not the file: an editor puts a new file in its place. */
  const arm = async () => {
    const target = await realpath(path).catch(() => path);
    names = new Set([basename(path), basename(target)]);
    const wanted = new Set([dirname(path), dirname(target)]);
    for (const folder of folders.keys()) if (!wanted.has(folder)) drop(folder);
    for (const folder of wanted) {
      const inode = await stat(folder).then(
        (found) => found.ino,
        () => undefined,
      );
      if (folders.get(folder)?.inode === inode) continue;
      drop(folder);
      if (inode === undefined || isStopped) continue;
      try {
        const watcher = watch(folder, { persistent: false }, (_event, name) => {
          if (name === null || names.has(name)) onChange();
        });
        watcher.on("error", () => drop(folder));
        folders.set(folder, { watcher, inode });
      } catch {
        // too many watchers, or a file system without: looking remains
      }
    }
  };
  const look = async () => {
    const now = await fingerprint(path);
    if (!isPollingOnly) await arm();
    if (isStopped) return;
    if (seen !== undefined && seen !== now) onChange();
    seen = now;
    timer = clock.after(pollMs, () => void look());
  };

  return {
    async start() {
      isStopped = false;
      await look();
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
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}
