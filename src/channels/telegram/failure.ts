// What went wrong in a call of the Bot API, in words without the token, and sorted by what can be done about it.

import { isRecord } from "../../base/json.ts";

export type Failure =
  /** Certainly not done; worth another try after `afterMs`. */
  | { readonly kind: "busy"; readonly afterMs: number; readonly reason: string }
  /** The token is wrong or was revoked. */
  | { readonly kind: "token"; readonly reason: string }
  /** Another program polls with this token. */
  | { readonly kind: "conflict"; readonly reason: string }
  /** The request itself was refused. */
  | { readonly kind: "refused"; readonly status: number; readonly reason: string }
  /** The connection broke; `isSent`: the request may have arrived. */
  | { readonly kind: "network"; readonly isSent: boolean; readonly reason: string }
  /** The server answered, but not as the Bot API does. */
  | { readonly kind: "server"; readonly reason: string };

const tokenPattern = /\b\d{4,}:[A-Za-z0-9_-]{10,}/gu;

/** Errors of the library carry request URLs, and so the token (S41). */
export function scrub(text: string): string {
  return text.replaceAll(tokenPattern, "<token>").slice(0, 300);
}

/** The server answered, but not as the Bot API does. */
export function notAnApiAnswer(httpStatus: number): Error {
  return Object.assign(new Error(`HTTP ${httpStatus} without an API answer`), { httpStatus });
}

export function toFailure(error: unknown): Failure {
  const api = findInChain(error, (link) => typeof link["error_code"] === "number");
  if (api) return fromApi(api);
  const status = findInChain(error, (link) => typeof link["httpStatus"] === "number");
  if (status) return fromStatus(Number(status["httpStatus"]));

  const egress = findInChain(error, (link) => typeof link["isRequestSent"] === "boolean");
  const code = findInChain(error, (link) => typeof link["code"] === "string")?.["code"];
  const message = error instanceof Error ? error.message : String(error);
  return {
    kind: "network",
    isSent: egress ? egress["isRequestSent"] === true : true,
    reason: scrub(code ? `${String(code)}` : message),
  };
}

function fromApi(api: Record<string, unknown>): Failure {
  const status = Number(api["error_code"]);
  const reason = scrub(String(api["description"] ?? `error ${status}`));
  if (status === 429) {
    const parameters = api["parameters"];
    const seconds =
      isRecord(parameters) && typeof parameters["retry_after"] === "number" ? parameters["retry_after"] : 1;
    return { kind: "busy", afterMs: seconds * 1000, reason };
  }
  if (status === 401 || status === 404) return { kind: "token", reason };
  if (status === 409) return { kind: "conflict", reason };
  return status >= 500 ? { kind: "server", reason } : { kind: "refused", status, reason };
}

function fromStatus(status: number): Failure {
  if (status === 401 || status === 404)
    return { kind: "token", reason: `HTTP ${status}: no such bot, or no Bot API server at that address` };
  if (status === 429) return { kind: "busy", afterMs: 1_000, reason: `HTTP ${status}` };
  return { kind: "server", reason: `HTTP ${status} without an API answer` };
}

/** The library wraps what our own fetch threw, sometimes twice. */
function findInChain(
  error: unknown,
  fits: (link: Record<string, unknown>) => boolean,
): Record<string, unknown> | undefined {
  let link: unknown = error;
  for (let depth = 0; depth < 5 && typeof link === "object" && link !== null; depth += 1) {
    // any object can be looked at by key
    const record = link as Record<string, unknown>;
    if (fits(record)) return record;
    link = record["error"] ?? record["cause"];
  }
  return undefined;
}
