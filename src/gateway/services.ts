// Small services of the Gateway itself, for its supervisor.

import type { Clock, Timer } from "../base/clock.ts";
import type { Service } from "../base/service.ts";
import { tickIntervalMs } from "./limits.ts";

/** Who watches presence takes silence for trouble: it is told again with every second tick, changed or not. */
const ticksPerPresence = 2;

export function createTicker(clock: Clock, { tick, presence }: { tick: () => void; presence: () => void }): Service {
  let timer: Timer | undefined;
  let ticks = 0;
  const beat = () => {
    tick();
    ticks += 1;
    if (ticks % ticksPerPresence === 0) presence();
    timer = clock.after(tickIntervalMs, beat);
  };
  return {
    name: "tick",
    async start() {
      timer = clock.after(tickIntervalMs, beat);
    },
    async stop() {
      timer?.cancel();
    },
  };
}
