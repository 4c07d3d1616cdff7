// Where calls wait while there is no connection: bounded in number and time.

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";

export interface Turnstile<T> {
  /**
   * What is behind it, at once or as soon as it opens. 0 ms: now or never.
   * @throws Fault: that of `late` after `waitMs`, that of `close`, or `overloaded` when too many wait.
   */
  pass(waitMs: number, late: () => Fault): Promise<T>;
  open(value: T): void;
  shut(): void;
  /** For good; whoever waits is told. */
  close(fault: Fault): void;
}

const maxWaiting = 1_000;

export function createTurnstile<T>(clock: Clock): Turnstile<T> {
  const waiting = new Set<{ resolve(value: T): void; reject(fault: Fault): void }>();
  let behind: { readonly value: T } | undefined;
  let closed: Fault | undefined;

  return {
    pass(waitMs, late) {
      if (closed) return Promise.reject(closed);
      if (behind) return Promise.resolve(behind.value);
      if (waitMs <= 0) return Promise.reject(late());
      if (waiting.size >= maxWaiting)
        return Promise.reject(new Fault("overloaded", `${maxWaiting} calls wait for a connection already`));
      return new Promise((resolve, reject) => {
        const timer = clock.after(waitMs, () => entry.reject(late()));
        const leave = () => {
          timer.cancel();
          waiting.delete(entry);
        };
        const entry = {
          resolve(value: T) {
            leave();
            resolve(value);
          },
          reject(fault: Fault) {
            leave();
            reject(fault);
          },
        };
        waiting.add(entry);
      });
    },
    open(value) {
      behind = { value };
      for (const entry of waiting) entry.resolve(value);
    },
    shut() {
      behind = undefined;
    },
    close(fault) {
      closed = fault;
      for (const entry of waiting) entry.reject(fault);
    },
  };
}
