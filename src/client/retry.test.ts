import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { Fault, faultCodes, type FaultCode } from "../base/fault.ts";
import { closed, toFault } from "./faults.ts";
import { decideRetry, isCurable, reconnectPolicy } from "./retry.ts";

const refusal = (code: string, message: string, details?: object, more?: object) =>
  toFault({ code, message, ...(details ? { details } : {}), ...more });

test("what another try cannot cure ends it: wrong secrets, versions, origins, keys", () => {
  const final = [
    refusal("INVALID_REQUEST", "unauthorized: gateway token mismatch (provide gateway auth token)"),
    refusal("INVALID_REQUEST", "unauthorized: gateway token missing", { code: "AUTH_TOKEN_MISSING" }),
    refusal("INVALID_REQUEST", "protocol mismatch", { expectedProtocol: 4 }),
    refusal("FORBIDDEN", "origin not allowed", { code: "CONTROL_UI_ORIGIN_NOT_ALLOWED" }),
    refusal("INVALID_REQUEST", "origin not allowed", { code: "CONTROL_UI_ORIGIN_NOT_ALLOWED" }),
    refusal("INVALID_REQUEST", "device signature invalid", { code: "DEVICE_AUTH_SIGNATURE_INVALID" }),
    refusal("INVALID_REQUEST", "device identity mismatch"),
    refusal("INVALID_REQUEST", "invalid role"),
    refusal("INVALID_REQUEST", "invalid connect params: at /scopes: must be array"),
    refusal("NOT_PAIRED", "device identity required"),
    refusal("NOT_PAIRED", "pairing required", { pauseReconnect: true }),
    closed(1008, "unauthorized: token missing"),
    closed(1002, "protocol mismatch"),
    new Fault("usage", "not a WebSocket URL"),
  ];
  for (const fault of final) assert.equal(isCurable(fault), false, fault.message);
});

test("what time or a person may cure goes on", () => {
  const passing = [
    refusal("NOT_PAIRED", "pairing required", { code: "PAIRING_REQUIRED", requestId: "r", pauseReconnect: false }),
    refusal("NOT_PAIRED", "pairing required: device is not approved yet"),
    closed(1008, "pairing required (requestId: r)"),
    refusal("INVALID_REQUEST", "unauthorized: too many failed attempts", { code: "AUTH_RATE_LIMITED" }),
    refusal("INVALID_REQUEST", "unauthorized: slow down", undefined, { retryAfterMs: 1 }),
    refusal("INVALID_REQUEST", "device signature expired", { code: "DEVICE_AUTH_SIGNATURE_EXPIRED" }),
    refusal("UNAVAILABLE", "gateway starting", { reason: "startup-sidecars" }),
    closed(1006, ""),
    closed(1008, "slow consumer"),
    closed(1012, "service restart"),
    closed(1013, "gateway starting"),
    closed(4000, "tick timeout"),
    closed(4001, "gateway auth changed"),
    new Fault("timeout", "no Gateway answered"),
  ];
  for (const fault of passing) assert.equal(isCurable(fault), true, fault.message);
});

const codes = fc.constantFrom(...(Object.keys(faultCodes) as FaultCode[]));

test("property: delays double from 1 s to 30 s within their jitter, and a told wait is kept", () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 5_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.option(fc.nat({ max: 600_000 }), { nil: undefined }),
      (attempt, chance, retryAfterMs) => {
        const fault = new Fault("unreachable", "gone", retryAfterMs === undefined ? {} : { retryAfterMs });
        const retry = decideRetry({ fault, attempt, isRestarting: false }, reconnectPolicy, () => chance);
        assert.ok(retry !== "stop");
        const middle = Math.min(30_000, 1_000 * 2 ** Math.max(0, attempt - 1));
        const told = retryAfterMs ?? 0;
        assert.ok(retry.delayMs >= Math.max(told, Math.floor(middle * 0.8)));
        assert.ok(retry.delayMs <= Math.max(told, Math.min(30_000, Math.ceil(middle * 1.2))));
      },
    ),
  );
});

test("property: while a restart is under way nobody waits longer than a second, and the first look is at once", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, chance) => {
      const failure = { fault: closed(1012, "service restart"), attempt, isRestarting: true };
      const retry = decideRetry(failure, reconnectPolicy, () => chance);
      assert.ok(retry !== "stop" && retry.delayMs <= (attempt === 1 ? 100 : 1_000));
    }),
  );
});

test("property: it stops for exactly the faults that are not curable, restart or not", () => {
  fc.assert(
    fc.property(codes, fc.boolean(), (code, isRestarting) => {
      const fault = new Fault(code, "x");
      const retry = decideRetry({ fault, attempt: 1, isRestarting }, reconnectPolicy);
      assert.equal(retry === "stop", !isCurable(fault));
    }),
  );
});
