// Errors that reached the end of the event loop with nobody to catch them: which of them the process survives. Pure.

import { codeOf } from "../../base/error-code.ts";

/**
 * `pass`: somebody gave up waiting; `network`: the other side went away, whoever wanted it tries again; `bug`: one place is broken,
 * and the others go on (R2); `fatal`: nothing this process says can be relied on any more.
 */
export type StrayVerdict = "pass" | "network" | "bug" | "fatal";

const networkCodes =
  /^(?:ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|UND_ERR_\w+)$/u;
const fatalCodes = /^(?:ERR_OUT_OF_MEMORY|ERR_SCRIPT_EXECUTION_TIMEOUT|ERR_WORKER_\w+)$/u;

/** `thrown`: out of a callback, whose object may be left half changed; as against a promise that was rejected. */
export function judgeStray(error: unknown, how: "thrown" | "rejected"): StrayVerdict {
  const codes = codesOf(error);
  if (codes.some((code) => fatalCodes.test(code))) return "fatal";
  if (error instanceof Error && error.name === "AbortError") return "pass";
  if (codes.some((code) => networkCodes.test(code))) return "network";
  return how === "thrown" ? "fatal" : "bug";
}

/** Causes that are looked into: an error that names itself as its cause has an end too. */
const maxDepth = 5;

/** Of the error, its causes, and the errors that it gathers: `fetch` hides the code in a cause. */
function codesOf(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > maxDepth) return [];
  const own = codeOf(error);
  const inner: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  return [
    ...(own === undefined ? [] : [own]),
    ...[error.cause, ...inner].flatMap((other) => codesOf(other, depth + 1)),
  ];
}
