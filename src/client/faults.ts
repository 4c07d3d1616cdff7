// What goes wrong on the way to a Gateway, as Faults: its error answers, its closes, and silence.

import { Fault, faultCodes, type FaultCode } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";

const codeOfWire: Readonly<Record<string, FaultCode>> = {
  NOT_LINKED: "not_linked",
  NOT_PAIRED: "not_paired",
  AGENT_TIMEOUT: "agent_timeout",
  INVALID_REQUEST: "invalid_params",
  FORBIDDEN: "forbidden",
  UNAVAILABLE: "agent_failed",
};

/** Every Gateway says this in words; only ours says it in `details.reason` too. */
const codeOfMessage: readonly (readonly [RegExp, FaultCode])[] = [
  [/^unauthorized\b(?! role)/u, "unauthorized"],
  [/^protocol mismatch\b/u, "protocol_mismatch"],
];

/** The error of an answer. */
export function toFault(error: unknown): Fault {
  const shape = isRecord(error) ? error : {};
  const details = isRecord(shape["details"]) ? shape["details"] : {};
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const next = text(details["next"]);
  const field = text(details["field"]);
  const message = text(shape["message"]) ?? "the Gateway refused";
  return new Fault(decideCode(shape, details, message), message, {
    details: { ...details, wireCode: shape["code"] },
    ...(next ? { next } : {}),
    ...(field ? { field } : {}),
    ...(typeof shape["retryAfterMs"] === "number" ? { retryAfterMs: shape["retryAfterMs"] } : {}),
  });
}

function decideCode(shape: Record<string, unknown>, details: Record<string, unknown>, message: string): FaultCode {
  const { reason } = details;
  // our own Gateway says more exactly what it means; others only have the protocol's codes
  if (typeof reason === "string" && Object.hasOwn(faultCodes, reason)) return reason as FaultCode;
  const known = codeOfMessage.find(([pattern]) => pattern.test(message))?.[1];
  const wire = typeof shape["code"] === "string" ? shape["code"] : "";
  return known ?? (Object.hasOwn(codeOfWire, wire) ? codeOfWire[wire] : undefined) ?? "internal";
}

export function foreign(url: string): Fault {
  return new Fault("unreachable", `what answers on ${url} is not a Gateway: it sent something that is no frame`, {
    next: "check the address",
  });
}

export function unreachable(url: string, error: Error): Fault {
  return new Fault("unreachable", `no Gateway answers on ${url}: ${error.message || "connection failed"}`, {
    cause: error,
    next: "start it, or point at another with --url",
  });
}

export function silent(url: string, timeoutMs: number): Fault {
  return new Fault("timeout", `no Gateway answered on ${url} within ${timeoutMs} ms`, {
    next: "check the address and that a Gateway listens there",
  });
}

const closeNames: Readonly<Record<number, string>> = {
  1000: "normal closure",
  1005: "no status",
  1006: "abnormal closure",
  1008: "policy violation",
  1009: "message too big",
  1011: "internal error",
  1012: "service restart",
  1013: "try again later",
  4000: "no sign of life",
};

/** Reasons that say as much as an error answer, for the case that it was lost. */
const codeOfReason: readonly (readonly [RegExp, FaultCode])[] = [
  ...codeOfMessage,
  [/^pairing required\b/u, "not_paired"],
];

export function closed(code: number, reason: string): Fault {
  const name = closeNames[code];
  const text = `gateway closed (${code}${name ? ` ${name}` : ""}): ${reason === "" ? "no reason given" : reason}`;
  const known =
    code === 1008 || code === 1002 ? codeOfReason.find(([pattern]) => pattern.test(reason))?.[1] : undefined;
  if (known) return new Fault(known, text);
  return new Fault("unreachable", text, code === 1012 ? { next: "it restarts: try again in a few seconds" } : {});
}
