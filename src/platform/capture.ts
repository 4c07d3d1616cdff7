// What a service manager writes of our output into a file has no end by itself: launchd never rolls its files. When we write into
// such a file, we keep its newest part and drop the rest, in place, since the manager holds it open (R32).

import { closeSync, fstatSync, ftruncateSync, lstatSync, openSync, readSync, writeSync } from "node:fs";

import type { Clock, Timer } from "../base/clock.ts";

export interface CaptureLimits {
  /** A file above it is cut. */
  readonly maxBytes: number;
  /** What stays, from the beginning of a line; read and written at once. */
  readonly keptBytes: number;
}

const mebibyte = 1024 * 1024;
const usual: CaptureLimits = { maxBytes: 10 * mebibyte, keptBytes: mebibyte };
const checkMs = 10 * 60_000;

export interface Capture {
  /** Of this process: 1 or 2. */
  readonly descriptor: number;
  /** Where the manager is told to put it. */
  readonly path: string;
}

/** Looks now and every ten minutes. @returns a function that ends it. */
export function keepCapturesSmall(captures: readonly Capture[], clock: Clock, limits = usual): () => void {
  let timer: Timer | undefined;
  const look = () => {
    for (const capture of captures) trim(capture, limits);
    timer = clock.after(checkMs, look);
  };
  look();
  return () => timer?.cancel();
}

/** Does nothing unless that file is where this process writes to. Never throws: output matters less than what is done. */
function trim({ descriptor, path }: Capture, { maxBytes, keptBytes }: CaptureLimits): void {
  try {
    const own = fstatSync(descriptor);
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (!there?.isFile() || there.ino !== own.ino || there.dev !== own.dev || there.size <= maxBytes) return;
    const file = openSync(path, "r+");
    try {
      const bytes = Buffer.alloc(keptBytes);
      const length = readSync(file, bytes, 0, keptBytes, there.size - keptBytes);
      const start = bytes.indexOf(0x0a) + 1;
      const written = writeSync(file, bytes, start, length - start, 0);
      ftruncateSync(file, written);
    } finally {
      closeSync(file);
    }
  } catch {
    // closed output, a folder that we may not write to: it is as it was
  }
}
