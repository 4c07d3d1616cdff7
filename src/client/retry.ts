// Whether a client tries again, and when: pure policy.

import { backoffMs, type BackoffPolicy } from "../base/backoff.ts";
import { faultCodes, type Fault } from "../base/fault.ts";

export const reconnectPolicy: BackoffPolicy = { initialMs: 1_000, maxMs: 30_000, factor: 2, jitter: 0.2 };

/** The first look after a restart was told is at once, but not of all clients in the same instant. */
const restartFirst: BackoffPolicy = { initialMs: 50, maxMs: 100, factor: 1, jitter: 1 };
/** Then it is looked for often until it should be back. */
const restartNext: BackoffPolicy = { initialMs: 200, maxMs: 1_000, factor: 1.5, jitter: 0.5 };

export interface Failure {
  readonly fault: Fault;
  /** 1 for the first try since the connection was lost, or since the restart was told. */
  readonly attempt: number;
  /** The Gateway said that it restarts, and its time is not up. */
  readonly isRestarting: boolean;
}

export type Retry = { readonly delayMs: number } | "stop";

export function decideRetry(failure: Failure, policy: BackoffPolicy, random?: () => number): Retry {
  const { fault, attempt, isRestarting } = failure;
  if (!isCurable(fault)) return "stop";
  const delayMs = isRestarting
    ? backoffMs(attempt <= 1 ? restartFirst : restartNext, attempt - 1, random)
    : backoffMs(policy, attempt, random);
  return { delayMs: Math.max(delayMs, fault.retryAfterMs ?? 0) };
}

/** These are about the moment, not about who asks. */
const passing = new Set([
  "DEVICE_AUTH_SIGNATURE_EXPIRED",
  "DEVICE_AUTH_NONCE_REQUIRED",
  "DEVICE_AUTH_NONCE_MISMATCH",
  "AUTH_RATE_LIMITED",
]);

/** False when the same try can only end the same way, until a person changes something. */
export function isCurable(fault: Fault): boolean {
  const { details, code } = fault;
  if (details?.["pauseReconnect"] === true) return false;
  const reason = details?.["code"];
  if (fault.retryAfterMs !== undefined || (typeof reason === "string" && passing.has(reason))) return true;
  // somebody may approve it at any time; but without an identity there is nothing to approve
  if (code === "not_paired") return !fault.message.startsWith("device identity required");
  return code === "internal" || faultCodes[code].retryable;
}
