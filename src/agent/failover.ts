// What to do after a model call failed. Pure decisions; the memory of failures is a table that the caller keeps (R22).

import { backoffMs, type BackoffPolicy } from "../base/backoff.ts";
import type { ModelFailure } from "../ports/model.ts";

/** Tries of one model within a turn, the first included. */
export const maxTriesPerModel = 3;
/** Waiting longer than this is worse than asking another model (first failover within 3 s of a 429). */
const maxPatienceMs = 2_500;
const policy: BackoffPolicy = { initialMs: 400, maxMs: 2_500, factor: 2, jitter: 0.25 };

export interface FailureFacts {
  readonly failure: ModelFailure;
  /** Tries of this model so far, this one included. */
  readonly tries: number;
  readonly retryAfterMs: number | undefined;
  /** Another model could be asked. */
  readonly hasOther: boolean;
  /** The request was cut down after a `too-long` already. */
  readonly isShortened: boolean;
}

export type FailureAction =
  | { readonly action: "retry"; readonly afterMs: number }
  | { readonly action: "shorten" }
  | { readonly action: "next" }
  | { readonly action: "give-up" };

export function decideFailure(facts: FailureFacts, random: () => number = Math.random): FailureAction {
  const elsewhere: FailureAction = facts.hasOther ? { action: "next" } : { action: "give-up" };
  if (facts.failure === "retry") return decideRetry(facts, elsewhere, random);
  if (facts.failure === "too-long" && !facts.isShortened) return { action: "shorten" };
  return elsewhere;
}

function decideRetry(facts: FailureFacts, elsewhere: FailureAction, random: () => number): FailureAction {
  const { tries, retryAfterMs, hasOther } = facts;
  const afterMs = retryAfterMs ?? backoffMs(policy, tries, random);
  if (tries >= maxTriesPerModel || afterMs > maxPatienceMs) return elsewhere;
  // a rate limit that names its time: with another model at hand there is no reason to wait
  return retryAfterMs !== undefined && hasOther ? elsewhere : { action: "retry", afterMs };
}

/** How long a model is passed over, in ms, after it failed `count` times in a row. */
export function cooldownMs(failure: ModelFailure, count: number, retryAfterMs: number | undefined): number {
  if (failure === "too-long" || failure === "bug" || failure === "refused") return 0;
  if (retryAfterMs !== undefined) return Math.min(retryAfterMs, 60 * 60_000);
  const base = failure === "key" || failure === "model" ? 5 * 60_000 : 30_000;
  return Math.min(base * 2 ** Math.max(0, count - 1), 60 * 60_000);
}
