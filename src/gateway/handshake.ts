// Judges `connect`: protocol, role, credentials, scopes, in the order and with the codes that both generations of clients know
// . Device identity comes later: a device grants nothing here, nor does its presence.

import { Fault } from "../base/fault.ts";
import type { ConnectParams } from "../protocol/connect.ts";
import { decideProtocol, expectedProtocol, minProtocol } from "../protocol/version.ts";
import type { Limiter } from "./auth/limiter.ts";
import { grantScopes } from "./auth/scopes.ts";

export interface Guard {
  readonly mode: "token" | "password";
  isSecret(presented: string): boolean;
}

export interface Granted {
  readonly protocol: number;
  readonly role: "operator";
  readonly scopes: readonly string[];
  readonly method: "token" | "password";
}

/** Why a connection is refused: the error answered, then the close. */
export interface Refusal {
  readonly fault: Fault;
  readonly closeCode: number;
}

export type ConnectDecision = { readonly granted: Granted } | { readonly refusal: Refusal };

export interface ConnectContext {
  readonly guard: Guard;
  readonly limiter: Limiter;
  /** Where the connection comes from, as limits count it. */
  readonly source: string;
}

const refuse = (fault: Fault, closeCode = 1008): ConnectDecision => ({ refusal: { fault, closeCode } });

export function decideConnect(params: ConnectParams, context: ConnectContext): ConnectDecision {
  const protocol = decideProtocol(params.minProtocol, params.maxProtocol);
  if (protocol === undefined) return refuse(mismatch(params), 1002);

  const role = params.role ?? "operator";
  if (role !== "operator" && role !== "node")
    return refuse(new Fault("invalid_params", "invalid role", { field: "role" }));
  const fault = checkSecret(params, context);
  if (fault) return refuse(fault);
  if (role === "node") return refuse(noNodes());
  return { granted: { protocol, role, scopes: decideScopes(params.scopes, protocol), method: context.guard.mode } };
}

/** Nodes have devices of their own to pair; the words are the ones that keep a node trying. */
function noNodes(): Fault {
  return new Fault("not_paired", "pairing required: this Gateway does not take nodes yet", {
    next: "connect with role operator",
    details: {
      code: "PAIRING_REQUIRED",
      reason: "not-paired",
      pauseReconnect: false,
      recommendedNextStep: "wait_then_retry",
    },
  });
}

/** The holder of the shared secret is the owner: what is asked for is granted. */
function decideScopes(asked: readonly string[] | undefined, protocol: number): readonly string[] {
  if (asked) return grantScopes(asked);
  // only the newer generation lists what it wants; older clients and the runbooks' own example expect everything
  return protocol === 4 ? [] : ["operator.admin"];
}

function mismatch(params: ConnectParams): Fault {
  return new Fault("protocol_mismatch", "protocol mismatch", {
    details: {
      code: "PROTOCOL_MISMATCH",
      clientMinProtocol: params.minProtocol,
      clientMaxProtocol: params.maxProtocol,
      expectedProtocol,
      minimumProbeProtocol: minProtocol,
    },
  });
}

/** @returns the refusal, or undefined when a presented secret is the right one. */
function checkSecret(params: ConnectParams, { guard, limiter, source }: ConnectContext): Fault | undefined {
  // clients put a secret in one field or another: each is compared with the one secret there is
  const { token, password, deviceToken } = params.auth ?? {};
  const presented = [...new Set([token, password, deviceToken])].filter((text) => text !== undefined).filter(Boolean);
  if (presented.length === 0) return unauthorized(params, guard, "missing");

  const waitMs = limiter.waitMs(source);
  if (waitMs > 0) {
    return new Fault("unauthorized", "unauthorized: too many failed attempts, try again later", {
      retryAfterMs: waitMs,
      details: { code: "AUTH_RATE_LIMITED", authReason: "rate_limited", recommendedNextStep: "wait_then_retry" },
    });
  }
  // no short cut: every field is compared
  const matches = presented.map((text) => guard.isSecret(text));
  if (matches.includes(true)) return undefined;
  presented.forEach(() => limiter.fail(source));
  return unauthorized(params, guard, "mismatch");
}

function unauthorized(params: ConnectParams, { mode }: Guard, what: "missing" | "mismatch"): Fault {
  return new Fault("unauthorized", `unauthorized: gateway ${mode} ${what} (${hintFor(params, mode)})`, {
    details: {
      code: `AUTH_${mode.toUpperCase()}_${what.toUpperCase()}`,
      authReason: `${mode}_${what}`,
      canRetryWithDeviceToken: false,
      recommendedNextStep: what === "missing" ? "update_auth_configuration" : "update_auth_credentials",
    },
  });
}

function hintFor({ client }: ConnectParams, mode: "token" | "password"): string {
  if (client.mode === "cli" || client.id === "cli") return `set gateway.remote.${mode} to match gateway.auth.${mode}`;
  if (client.mode === "webchat" || client.id === "openclaw-control-ui") {
    return mode === "token"
      ? "open a tokenized dashboard URL or paste token in Control UI settings"
      : "enter the password in Control UI settings";
  }
  return `provide gateway auth ${mode}`;
}
