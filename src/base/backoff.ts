// How long to wait before trying again.

export interface BackoffPolicy {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor: number;
  /** 0 to 1: share of the delay that is random, so that many clients do not return at once. */
  readonly jitter: number;
}

/** The delay before try number `attempt` (1 is the first retry), in ms. */
export function backoffMs(policy: BackoffPolicy, attempt: number, random: () => number = Math.random): number {
  const base = Math.min(policy.maxMs, policy.initialMs * policy.factor ** Math.max(0, attempt - 1));
  const spread = base * policy.jitter;
  return Math.round(Math.min(policy.maxMs, base - spread + random() * spread * 2));
}
