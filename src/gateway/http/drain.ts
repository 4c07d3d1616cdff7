// Bodies that nobody wants are read for a moment and thrown away: closing while bytes come in resets the connection, and the client may
// lose the answer that it was sent. Bounded for each of them, and for all together.

import type { IncomingMessage } from "node:http";

import type { Clock } from "../../base/clock.ts";
import type { Sweep } from "../../platform/memory.ts";

export interface Drain {
  /** Calls `done` once: when the body is over, gone, or was read for long enough. */
  read(request: IncomingMessage, done: () => void): void;
}

/** For one body. Pieces count too: one that comes byte by byte costs far more than its size. */
const maxBytes = 1024 * 1024;
const maxPieces = 2_048;
const maxMs = 1_000;
/** For all of them, a second; as much may come at once. */
const bytesPerSecond = 8 * 1024 * 1024;

export function createDrain(clock: Clock, sweep: Sweep): Drain {
  let allowance = bytesPerSecond;
  let filledAt = clock.monotonic();
  const take = (bytes: number) => {
    const now = clock.monotonic();
    allowance = Math.min(bytesPerSecond, allowance + ((now - filledAt) / 1_000) * bytesPerSecond) - bytes;
    filledAt = now;
    sweep.passed(bytes);
    return allowance >= 0;
  };
  return {
    read(request, done) {
      let bytes = 0;
      let pieces = 0;
      let isOver = false;
      const end = () => {
        if (isOver) return;
        isOver = true;
        timer.cancel();
        request.off("data", look);
        done();
      };
      const timer = clock.after(maxMs, end);
      const look = (chunk: Buffer) => {
        bytes += chunk.byteLength;
        pieces += 1;
        if (!take(chunk.byteLength) || bytes > maxBytes || pieces > maxPieces) end();
      };
      request.on("data", look);
      request.once("end", end);
      request.once("close", end);
      request.resume();
    },
  };
}
