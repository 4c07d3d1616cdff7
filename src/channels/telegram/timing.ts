// How long polls, and the pauses between them, take. Apart from the polling, so that `status` knows it before anything is loaded.

import type { BackoffPolicy } from "../../base/backoff.ts";

export interface PollTiming {
  /** How long Telegram holds a poll open, seconds. */
  readonly pollSeconds: number;
  /** Beyond that, until the poll counts as hung. */
  readonly graceMs: number;
  readonly backoff: BackoffPolicy;
  /** Between tries with a token that was refused. */
  readonly tokenRetryMs: number;
  /** Between looks at whether there is another token meanwhile. */
  readonly tokenLookMs: number;
  /** An empty answer that comes sooner was not waited for: whoever gave it would be asked without end. */
  readonly minEmptyPollMs: number;
}

export const defaultTiming: PollTiming = {
  pollSeconds: 30,
  graceMs: 15_000,
  backoff: { initialMs: 1_000, maxMs: 30_000, factor: 1.8, jitter: 0.25 },
  tokenRetryMs: 5 * 60_000,
  tokenLookMs: 5_000,
  minEmptyPollMs: 500,
};
