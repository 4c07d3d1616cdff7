// Time and timers, the only place that touches the system's. Everything else receives a Clock, so that a test
// can run a year in a second and a failing seed replays.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock, milliseconds since the epoch. May jump; for stamps and schedules. */
  now(): number;
  /** Milliseconds that never go backwards; for deadlines and durations. */
  monotonic(): number;
  /** Runs `task` once after `delayMs`. A pending timer does not keep the process alive. */
  after(delayMs: number, task: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, task) {
    const handle = setTimeout(task, Math.min(delayMs, 2 ** 31 - 1));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Keeps the process alive until the returned function is called: for a command that waits for nothing but a timer.
 */
export function holdProcess(): () => void {
  const handle = setInterval(() => {}, 2 ** 31 - 1);
  return () => clearInterval(handle);
}

export interface ManualClock extends Clock {
  /** Moves time forward and runs the timers that come due, in order; awaits the microtasks of each. */
  advance(ms: number): Promise<void>;
}

/** A clock that stands still until it is told to move. */
export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let elapsed = 0;
  let pending: { dueAt: number; task: () => void }[] = [];

  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    after(delayMs, task) {
      const entry = { dueAt: elapsed + Math.max(0, delayMs), task };
      pending.push(entry);
      return {
        cancel() {
          pending = pending.filter((other) => other !== entry);
        },
      };
    },
    async advance(ms) {
      const target = elapsed + ms;
      for (;;) {
        const next = pending.filter((entry) => entry.dueAt <= target).toSorted((a, b) => a.dueAt - b.dueAt)[0];
        if (!next) break;
        pending = pending.filter((entry) => entry !== next);
        elapsed = Math.max(elapsed, next.dueAt);
        next.task();
        await new Promise((resolve) => setImmediate(resolve));
      }
      elapsed = target;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** Resolves after `delayMs`, or at once when `signal` aborts (it never rejects). */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const finish = () => {
      timer.cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const timer = clock.after(delayMs, finish);
    signal?.addEventListener("abort", finish, { once: true });
  });
}
