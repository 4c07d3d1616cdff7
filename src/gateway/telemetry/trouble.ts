// What is wrong with the collector: told once, then kept for whoever asks, until it works again.

import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Problem } from "./variables.ts";

export interface Trouble {
  /** How an export of a signal ended; undefined: well. */
  note(signal: string, problem: Problem | undefined): void;
  problems(): readonly Problem[];
  forget(): void;
}

/** A collector that comes and goes does not fill the log: `problems` always knows. */
const quietMs = 10 * 60_000;

export function createTrouble(dependencies: { clock: Clock; log: Log; onChange: () => void }): Trouble {
  const { clock, log, onChange } = dependencies;
  const current = new Map<string, Problem>();
  const toldAt = new Map<string, number>();
  return {
    note(signal, problem) {
      const before = current.get(signal);
      if (before?.message === problem?.message) return;
      if (problem) current.set(signal, problem);
      else current.delete(signal);
      onChange();
      const now = clock.monotonic();
      const isTold = now - (toldAt.get(signal) ?? -quietMs) < quietMs;
      if (problem && !isTold) {
        toldAt.set(signal, now);
        log.warn(
          `${signal} do not reach the collector: ${problem.message}; what waits longer than there is room is dropped`,
          {
            next: problem.next,
          },
        );
      } else if (!problem) log.debug(`${signal} reach the collector again`);
    },
    problems: () =>
      [...current].map(([signal, { message, next }]) => ({
        message: `${signal} do not reach the collector: ${message}`,
        next,
      })),
    forget() {
      current.clear();
      toldAt.clear();
    },
  };
}
