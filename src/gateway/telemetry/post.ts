// One export to the collector: POST, with a few tries within its time. What goes wrong is a value; it never throws.

import { promisify } from "node:util";
import { gzip } from "node:zlib";

import { abortable } from "../../base/abortable.ts";
import { backoffMs, type BackoffPolicy } from "../../base/backoff.ts";
import { sleep, type Clock } from "../../base/clock.ts";
import { createDeadline } from "../../base/deadline.ts";
import { codeOf } from "../../base/error-code.ts";
import type { EgressFetch } from "../../platform/egress.ts";
import type { Problem } from "./variables.ts";
import type { Destination } from "./settings.ts";

/** @returns why the collector does not have it; undefined: it has. */
export type Post = (body: Uint8Array) => Promise<Problem | undefined>;

export interface PostDependencies {
  readonly fetch: EgressFetch;
  readonly clock: Clock;
  /** Aborts: there is no time any more. */
  readonly closing: AbortSignal;
}

const maxTries = 4;
const retryPolicy: BackoffPolicy = { initialMs: 500, maxMs: 4_000, factor: 2, jitter: 0.2 };
/** What the specification has a client try again. */
const passing: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** An answer is small, or it is not worth its connection. */
const maxAnswerBytes = 65_536;

export function createPost(destination: Destination, { fetch, clock, closing }: PostDependencies): Post {
  const { url, protocol, timeoutMs, isGzip } = destination;
  const headers = {
    ...destination.headers,
    "content-type": protocol === "http/json" ? "application/json" : "application/x-protobuf",
    ...(isGzip ? { "content-encoding": "gzip" } : {}),
  };
  return async (bytes) => {
    const deadline = createDeadline(clock, timeoutMs, closing);
    const endsAt = clock.monotonic() + timeoutMs;
    try {
      const body = isGzip ? await promisify(gzip)(bytes) : bytes;
      for (let tries = 1; ; tries += 1) {
        const { signal } = deadline;
        const result = await attempt(() => abortable(fetch(url, { method: "POST", headers, body, signal }), signal));
        if (result === "taken") return undefined;
        const waitMs = result.afterMs ?? backoffMs(retryPolicy, tries);
        if (!result.isPassing || tries >= maxTries || clock.monotonic() + waitMs > endsAt || signal.aborted)
          return deadline.isExpired() ? timedOut(timeoutMs) : result.problem;
        await sleep(clock, waitMs, signal);
      }
    } finally {
      deadline.clear();
    }
  };
}

interface Failed {
  readonly isPassing: boolean;
  /** When the collector wants to be asked again. */
  readonly afterMs?: number | undefined;
  readonly problem: Problem;
}

async function attempt(send: () => Promise<Response>): Promise<"taken" | Failed> {
  try {
    const response = await send();
    await readAway(response);
    const { status } = response;
    if (status < 300) return "taken";
    const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
    return {
      isPassing: passing.has(status),
      afterMs: seconds >= 0 ? seconds * 1000 : undefined,
      problem: { message: `it answers ${status}`, next: nextStep(status) },
    };
  } catch (error) {
    const code = codeOf(error) ?? "no answer";
    const next = "start the collector, or mend diagnostics.otel.endpoint or OTEL_EXPORTER_OTLP_ENDPOINT";
    return { isPassing: true, problem: { message: code, next } };
  }
}

/** A connection is used again once its answer was read; what the collector says in it is not shown to anybody. */
async function readAway({ body }: Response): Promise<void> {
  if (!body) return;
  let bytes = 0;
  // leaving the loop cancels the stream
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) return;
  }
}

function nextStep(status: number): string {
  if (status === 401 || status === 403)
    return "give it what it asks for in diagnostics.otel.headers or OTEL_EXPORTER_OTLP_HEADERS";
  if (status === 404)
    return "its address is without /v1/traces and /v1/metrics, and its port is that of OTLP over HTTP";
  if (status === 415) return "try the other diagnostics.otel.protocol: http/protobuf or http/json";
  return "see the log of the collector";
}

function timedOut(timeoutMs: number): Problem {
  return { message: `no answer within ${timeoutMs} ms`, next: "see whether the collector hangs" };
}
