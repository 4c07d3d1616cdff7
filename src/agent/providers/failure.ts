// A failed model call, sorted by what can be done about it. Reasons are short, in our words, and never hold a key.

import { isRecord } from "../../base/json.ts";
import type { ModelFailure } from "../../ports/model.ts";

export interface ClassifiedFailure {
  readonly failure: ModelFailure;
  readonly reason: string;
  readonly retryAfterMs?: number;
}

const tooLong =
  /context.{0,20}(?:length|window|limit)|too many (?:input )?tokens|prompt is too long|maximum context|exceeds? the (?:maximum|context)|token count.{0,30}exceeds/iu;
const noCredit = /insufficient_quota|billing|credit balance|payment required|exceeded your current quota/iu;

export function classifyFailure(error: unknown): ClassifiedFailure {
  const status = findField(error, "statusCode");
  const body = String(findField(error, "responseBody") ?? (error instanceof Error ? error.message : "")).slice(
    0,
    4_000,
  );
  if (typeof status === "number" && status >= 400)
    return fromStatus(status, body, retryAfter(findField(error, "responseHeaders")));

  const code = findField(error, "code");
  if (typeof code === "string" && /^E[A-Z]+$|^UND_ERR/u.test(code))
    return { failure: "retry", reason: `the model's server cannot be reached (${code})` };
  if (tooLong.test(body)) return { failure: "too-long", reason: "the conversation is longer than the model's window" };
  // a broken stream, half a JSON document, an unexpected form: the next try may be whole
  return { failure: "retry", reason: "the model's answer broke off or was malformed" };
}

function fromStatus(status: number, body: string, retryAfterMs: number | undefined): ClassifiedFailure {
  if (status === 413 || ((status === 400 || status === 422) && tooLong.test(body))) {
    return { failure: "too-long", reason: "the conversation is longer than the model's window" };
  }
  if (status === 402 || noCredit.test(body)) {
    return { failure: "key", reason: "the provider account has no credit left" };
  }
  const known = byStatus[status];
  if (known) return { ...known, retryAfterMs };
  if (status >= 500) return { failure: "retry", reason: `the provider has trouble (HTTP ${status})`, retryAfterMs };
  return { failure: "bug", reason: `the provider refuses the request (HTTP ${status})` };
}

const byStatus: Readonly<Record<number, ClassifiedFailure>> = {
  401: { failure: "key", reason: "the provider refuses the API key (HTTP 401)" },
  403: { failure: "key", reason: "the provider refuses the API key (HTTP 403)" },
  404: { failure: "model", reason: "the provider does not know this model (HTTP 404)" },
  408: { failure: "retry", reason: "the provider timed out (HTTP 408)" },
  409: { failure: "retry", reason: "the provider has trouble (HTTP 409)" },
  429: { failure: "retry", reason: "the provider's rate limit is reached" },
};

function retryAfter(headers: unknown): number | undefined {
  if (!isRecord(headers)) return undefined;
  const ms = Number(headers["retry-after-ms"]);
  if (Number.isFinite(ms) && ms > 0) return ms;
  const seconds = Number(headers["retry-after"]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

/** Errors come wrapped: the field of the outermost link that has it. */
function findField(error: unknown, field: string): unknown {
  let link: unknown = error;
  for (let depth = 0; depth < 5 && typeof link === "object" && link !== null; depth += 1) {
    // any object can be looked at by key
    const record = link as Record<string, unknown>;
    if (record[field] !== undefined) return record[field];
    link = record["cause"] ?? record["lastError"];
  }
  return undefined;
}
