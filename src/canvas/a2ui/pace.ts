// How fast a session takes actions: a person presses buttons, a page that went wild does so without end.

import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";

export interface Pace {
  /** Counts one. @throws Fault `overloaded` with `retryAfterMs`. */
  check(name: string): void;
}

const windowMs = 60_000;
const maxInWindow = 20;

export function createPace(clock: Clock): Pace {
  const times = new Map<string, readonly number[]>();
  return {
    check(name) {
      const now = clock.monotonic();
      const recent = (times.get(name) ?? []).filter((at) => now - at < windowMs);
      const [oldest] = recent;
      if (oldest !== undefined && recent.length >= maxInWindow) {
        throw new Fault("overloaded", `more than ${maxInWindow} actions in a minute`, {
          retryAfterMs: Math.ceil(oldest + windowMs - now),
          next: "wait a little and press again",
        });
      }
      for (const [key, old] of times) if (old.every((at) => now - at >= windowMs)) times.delete(key);
      times.set(name, [...recent, now]);
    },
  };
}
