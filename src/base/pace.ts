// Long work in short pieces, so that whoever else has something to do comes in between.

import { sleep, type Clock } from "./clock.ts";

const pieceMs = 3;
const restMs = 5;

export interface Pace {
  /** True once this piece has taken its time. */
  isOver(): boolean;
  /** Lets others work when it is; else it resolves at once. */
  rest(): Promise<void>;
}

export function createPace(clock: Clock): Pace {
  let since = clock.monotonic();
  const isOver = () => clock.monotonic() - since >= pieceMs;
  return {
    isOver,
    async rest() {
      if (!isOver()) return;
      await sleep(clock, restMs);
      since = clock.monotonic();
    },
  };
}
