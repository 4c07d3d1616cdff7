// People who wait for something to end: a turn by run id, a message by effect key. Only a doorbell; the truth is in the rows.

import type { Clock } from "../base/clock.ts";

export interface Waiters {
  ring(key: string): void;
  /** Resolves at the next ring for `key`, after `timeoutMs` (0: no limit), or when `signal` aborts; never rejects. */
  wait(key: string, timeoutMs: number, signal?: AbortSignal): Promise<void>;
}

export function createWaiters(clock: Clock): Waiters {
  const waiting = new Map<string, Set<() => void>>();
  return {
    ring(key) {
      const set = waiting.get(key);
      waiting.delete(key);
      for (const finish of set ?? []) finish();
    },
    wait: (key, timeoutMs, signal) =>
      new Promise((resolve) => {
        const set = waiting.get(key) ?? new Set();
        waiting.set(key, set);
        const finish = () => {
          timer?.cancel();
          signal?.removeEventListener("abort", finish);
          set.delete(finish);
          if (set.size === 0 && waiting.get(key) === set) waiting.delete(key);
          resolve();
        };
        set.add(finish);
        const timer = timeoutMs > 0 ? clock.after(timeoutMs, finish) : undefined;
        if (signal?.aborted) finish();
        else signal?.addEventListener("abort", finish, { once: true });
      }),
  };
}
