// Models that failed lately are asked after those that did not; each by its own record, so that one model's limit does not
// block its provider.

import type { Clock } from "../base/clock.ts";
import type { ModelFailure } from "../ports/model.ts";
import { cooldownMs } from "./failover.ts";

export interface Cooldowns {
  /** Ms until the model may be asked again; 0 when it may now. */
  remainingMs(ref: string): number;
  failed(ref: string, failure: ModelFailure, retryAfterMs: number | undefined): void;
  succeeded(ref: string): void;
}

export function createCooldowns(clock: Clock): Cooldowns {
  const records = new Map<string, { count: number; until: number }>();
  return {
    remainingMs: (ref) => Math.max(0, (records.get(ref)?.until ?? 0) - clock.monotonic()),
    failed(ref, failure, retryAfterMs) {
      const count = (records.get(ref)?.count ?? 0) + 1;
      records.set(ref, { count, until: clock.monotonic() + cooldownMs(failure, count, retryAfterMs) });
    },
    succeeded: (ref) => {
      records.delete(ref);
    },
  };
}
