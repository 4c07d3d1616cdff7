// Time limits for work that may hang.

import type { Clock } from "./clock.ts";
import { Fault } from "./fault.ts";

export interface Deadline {
  readonly signal: AbortSignal;
  /** True once the time is up (as against a parent's abort). */
  readonly isExpired: () => boolean;
  /** Stops the timer; call it in `finally`. */
  clear(): void;
}

/** A signal that aborts after `timeoutMs`, or when `parent` does. `timeoutMs` 0 means no limit. */
export function createDeadline(clock: Clock, timeoutMs: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  let expired = false;
  const timer =
    timeoutMs > 0
      ? clock.after(timeoutMs, () => {
          expired = true;
          controller.abort(new Fault("timeout", `no answer within ${timeoutMs} ms`));
        })
      : undefined;
  const follow = () => controller.abort(parent?.reason);
  if (parent?.aborted) follow();
  else parent?.addEventListener("abort", follow, { once: true });

  return {
    signal: controller.signal,
    isExpired: () => expired,
    clear() {
      timer?.cancel();
      parent?.removeEventListener("abort", follow);
    },
  };
}
