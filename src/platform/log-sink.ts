// Where log lines end: a file descriptor that is reopened when the day or the size says so, and after the disk refused.

import { closeSync, writeSync } from "node:fs";

import type { Clock } from "../base/clock.ts";

export interface LineSink {
  /** Never throws. */
  write(line: string): void;
  lost(): number;
  close(): void;
}

export interface SinkOptions {
  readonly clock: Clock;
  readonly target: () => { path: string; maxBytes: number };
  readonly openFile: (path: string) => { descriptor: number; size: number };
}

/** After the disk refused, the file is tried again this much later. */
const retryMs = 5_000;

export function createLineSink({ clock, target, openFile }: SinkOptions): LineSink {
  let current: { path: string; descriptor: number; size: number } | undefined;
  let retryAt = 0;
  let lostLines = 0;
  let isClosed = false;

  const release = () => {
    const old = current;
    current = undefined;
    if (!old) return;
    try {
      closeSync(old.descriptor);
    } catch {
      // the descriptor is gone either way, and the log has nobody to tell
    }
  };

  return {
    write(line) {
      if (isClosed || (retryAt > 0 && clock.monotonic() < retryAt)) {
        lostLines += 1;
        return;
      }
      try {
        const { path, maxBytes } = target();
        if (current && (current.path !== path || current.size >= maxBytes)) release();
        current ??= { path, ...openFile(path) };
        current.size += writeSync(current.descriptor, line);
        retryAt = 0;
      } catch {
        // full disk, read-only folder, lost mount: drop the line, count it, come back later
        lostLines += 1;
        retryAt = clock.monotonic() + retryMs;
        release();
      }
    },
    lost: () => lostLines,
    close() {
      isClosed = true;
      release();
    },
  };
}
