// Stands before every comparison of a secret: after too many wrong ones a source must wait, right or wrong, loopback too (S8).
// Sources do not share a budget, and a session that is open stays open: a stranger cannot lock out the owner elsewhere.

import type { Clock } from "../../base/clock.ts";

/** Wrong secrets of one source within a window. */
export const maxFailures = 20;
const windowMs = 60_000;
/** Sources remembered; the oldest go first. */
const maxSources = 10_000;

export interface Limiter {
  /** Ms to wait; 0 when the source may try. */
  waitMs(source: string): number;
  /** One more wrong secret. A request without any secret is not one. */
  fail(source: string): void;
  /** One of them was right after all, as a device's own. */
  forgive(source: string): void;
}

export function createLimiter(clock: Clock): Limiter {
  const failures = new Map<string, { count: number; since: number }>();
  const current = (source: string) => {
    const entry = failures.get(source);
    if (entry && clock.monotonic() - entry.since >= windowMs) {
      failures.delete(source);
      return undefined;
    }
    return entry;
  };
  return {
    waitMs(source) {
      const entry = current(source);
      return entry && entry.count >= maxFailures ? Math.ceil(windowMs - (clock.monotonic() - entry.since)) : 0;
    },
    fail(source) {
      const entry = current(source) ?? { count: 0, since: clock.monotonic() };
      entry.count += 1;
      failures.delete(source);
      failures.set(source, entry);
      for (const oldest of failures.keys()) {
        if (failures.size <= maxSources) break;
        failures.delete(oldest);
      }
    },
    forgive(source) {
      const entry = failures.get(source);
      if (entry) entry.count = Math.max(0, entry.count - 1);
    },
  };
}
