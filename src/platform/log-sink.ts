// Where log lines end: a file descriptor that is reopened when the day or the size says so, when its file was taken away, and
// after the disk refused.

import { closeSync, fstatSync, statSync, writeSync } from "node:fs";

import type { Clock } from "../base/clock.ts";

export interface SinkTrouble {
  /** What the system said. */
  readonly reason: string;
  /** Lines lost since it began. */
  readonly lost: number;
}

export interface LineSink {
  /** Never throws. */
  write(line: string): void;
  lost(): number;
  /** Undefined while lines are written. */
  trouble(): SinkTrouble | undefined;
  /** The file of the last line; undefined while none is open. */
  path(): string | undefined;
  close(): void;
}

export interface SinkOptions {
  readonly clock: Clock;
  readonly target: () => { path: string; maxBytes: number };
  readonly openFile: (path: string) => { descriptor: number; size: number };
  /** Once when lines begin to be lost. */
  readonly onTrouble: (reason: string) => void;
  /** Once when lines are written again; `lost` is how many were not. It may write a line. */
  readonly onRecovery: (lost: number) => void;
}

/** After the disk refused, the file is tried again this much later. */
const retryMs = 5_000;
/** How often it is looked whether the file is still there: the system cleans its temporary folder. */
const checkMs = 5_000;

interface OpenFile {
  readonly path: string;
  readonly descriptor: number;
  size: number;
  checkedAt: number;
}

export function createLineSink({ clock, target, openFile, onTrouble, onRecovery }: SinkOptions): LineSink {
  let current: OpenFile | undefined;
  let retryAt: number | undefined;
  let lostLines = 0;
  let untold = 0;
  let trouble = "";
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
  const open = (): OpenFile => {
    const { path, maxBytes } = target();
    if (current && (current.path !== path || current.size >= maxBytes || isTakenAway(current, clock))) release();
    current ??= { path, ...openFile(path), checkedAt: clock.monotonic() };
    return current;
  };
  const lose = () => {
    lostLines += 1;
    untold += 1;
  };

  return {
    write(line) {
      if (isClosed || (retryAt !== undefined && clock.monotonic() < retryAt)) {
        lose();
        return;
      }
      try {
        append(open(), line);
      } catch (error) {
        // full disk, read-only folder, lost mount: drop the line, count it, come back later
        lose();
        release();
        const isFirst = retryAt === undefined;
        retryAt = clock.monotonic() + retryMs;
        trouble = error instanceof Error ? error.message : String(error);
        if (isFirst) onTrouble(trouble);
        return;
      }
      if (retryAt === undefined) return;
      retryAt = undefined;
      const count = untold;
      untold = 0;
      onRecovery(count);
    },
    lost: () => lostLines,
    trouble: () => (retryAt === undefined ? undefined : { reason: trouble, lost: untold }),
    path: () => current?.path,
    close() {
      isClosed = true;
      release();
    },
  };
}

/** A disk that is nearly full takes a part of the line first and refuses the rest. */
function append(file: OpenFile, line: string): void {
  const bytes = Buffer.from(line);
  for (let written = 0; written < bytes.length;) {
    const count = writeSync(file.descriptor, bytes, written);
    written += count;
    file.size += count;
  }
}

function isTakenAway(file: OpenFile, clock: Clock): boolean {
  const now = clock.monotonic();
  if (now - file.checkedAt < checkMs) return false;
  file.checkedAt = now;
  return statSync(file.path, { throwIfNoEntry: false })?.ino !== fstatSync(file.descriptor).ino;
}
