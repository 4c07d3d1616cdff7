// Starting the Gateway anew within its process: one at a time, however many ask for it (R7).

import type { Clock, Timer } from "../../base/clock.ts";

export interface RestartRequest {
  readonly reason: string;
  readonly delayMs: number;
}

export interface RestartAnswer {
  readonly ok: boolean;
  readonly pid: number;
  readonly signal: "SIGUSR1";
  readonly mode: "emit";
  /** From now. */
  readonly delayMs: number;
  readonly reason: string;
}

export interface Restart {
  /** The earliest of several requests counts. */
  request(request: RestartRequest): RestartAnswer;
  /** Resolves with the reason once it is time. */
  readonly due: Promise<string>;
  cancel(): void;
}

export function createRestart(clock: Clock): Restart {
  let planned: { readonly timer: Timer; readonly dueAt: number; readonly reason: string } | undefined;
  let resolveDue: (reason: string) => void = () => {};
  const due = new Promise<string>((resolve) => {
    resolveDue = resolve;
  });
  return {
    due,
    request({ reason, delayMs }) {
      const now = clock.monotonic();
      if (!planned || planned.dueAt > now + delayMs) {
        planned?.timer.cancel();
        planned = { dueAt: now + delayMs, reason, timer: clock.after(delayMs, () => resolveDue(reason)) };
      }
      const left = Math.max(0, Math.round(planned.dueAt - now));
      return { ok: true, pid: process.pid, signal: "SIGUSR1", mode: "emit", delayMs: left, reason: planned.reason };
    },
    cancel: () => planned?.timer.cancel(),
  };
}
