import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { createManualClock } from "../base/clock.ts";
import type { ConnectParams } from "../protocol/connect.ts";
import { createLimiter, maxFailures } from "./auth/limiter.ts";
import { createSecretCheck } from "./auth/secret.ts";
import { decideConnect, type ConnectContext } from "./handshake.ts";

const secret = "the-right-secret";

function context(mode: "token" | "password" = "token", onCompare: () => void = () => undefined): ConnectContext {
  const isSecret = createSecretCheck(secret);
  return {
    guard: {
      mode,
      isSecret(presented) {
        onCompare();
        return isSecret(presented);
      },
    },
    limiter: createLimiter(createManualClock()),
    source: "127.0.0.1",
  };
}

function params(changes: Partial<ConnectParams> = {}): ConnectParams {
  return {
    minProtocol: 3,
    maxProtocol: 4,
    client: { id: "gateway-client", version: "1", platform: "linux", mode: "backend" },
    auth: { token: secret },
    ...changes,
  };
}

function refusalOf(decision: ReturnType<typeof decideConnect>) {
  assert.ok("refusal" in decision, "it was granted");
  const { fault, closeCode } = decision.refusal;
  return { code: fault.code, message: fault.message, detail: fault.details?.["code"], closeCode };
}

function grantedOf(decision: ReturnType<typeof decideConnect>) {
  assert.ok("granted" in decision, "it was refused");
  return decision.granted;
}

test("only a right secret lets anybody in, in whichever field it comes and whatever stands beside it", () => {
  const cell = fc.constantFrom(undefined, "", secret, "wrong", `${secret} `, secret.slice(1), "null", "undefined");
  const device = {
    id: "a".repeat(64),
    publicKey: "b".repeat(43),
    signature: "c".repeat(86),
    signedAt: 1,
    nonce: "n",
  };
  fc.assert(
    fc.property(
      fc.record({ token: cell, password: cell, deviceToken: cell, bootstrapToken: cell }),
      fc.constantFrom("token" as const, "password" as const),
      fc.constantFrom(undefined, device),
      fc.constantFrom(undefined, "operator", "node"),
      (auth, mode, presentDevice, role) => {
        // as JSON.parse would give it: without the absent fields
        const sent = JSON.parse(
          JSON.stringify(
            params({ auth, ...(role ? { role } : {}), ...(presentDevice ? { device: presentDevice } : {}) } as object),
          ),
        ) as ConnectParams;
        const decision = decideConnect(sent, context(mode));
        const isRight = [auth.token, auth.password, auth.deviceToken].includes(secret);
        assert.equal("granted" in decision, isRight && role !== "node");
        // a stranger learns nothing about nodes: what is missing comes first
        if (!isRight) assert.match(refusalOf(decision).message, /^unauthorized: gateway (?:token|password) /u);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("without any auth the secret is missing, by the name of the configured mode", () => {
  for (const auth of [undefined, {}, { token: "" }, { token: "", password: "" }]) {
    const sent = params();
    delete sent.auth;
    assert.deepEqual(refusalOf(decideConnect({ ...sent, ...(auth ? { auth } : {}) }, context())), {
      code: "unauthorized",
      message: "unauthorized: gateway token missing (provide gateway auth token)",
      detail: "AUTH_TOKEN_MISSING",
      closeCode: 1008,
    });
  }
  const wrong = decideConnect(params({ auth: { password: "x" } }), context("password"));
  assert.equal(refusalOf(wrong).message, "unauthorized: gateway password mismatch (provide gateway auth password)");
  assert.equal(refusalOf(wrong).detail, "AUTH_PASSWORD_MISMATCH");
});

test("the hint says where this client keeps its secret", () => {
  const hint = (id: string, mode: string) =>
    refusalOf(decideConnect(params({ client: { ...params().client, id, mode }, auth: { token: "x" } }), context()))
      .message;
  assert.match(hint("cli", "cli"), /\(set gateway\.remote\.token to match gateway\.auth\.token\)$/u);
  assert.match(hint("openclaw-control-ui", "webchat"), /paste token in Control UI settings\)$/u);
  assert.match(hint("openclaw-macos", "ui"), /\(provide gateway auth token\)$/u);
});

test("the highest common protocol is spoken, from 3 to 7", () => {
  const spoken = (minProtocol: number, maxProtocol: number) =>
    grantedOf(decideConnect(params({ minProtocol, maxProtocol }), context())).protocol;
  assert.equal(spoken(3, 3), 3);
  assert.equal(spoken(4, 4), 4);
  assert.equal(spoken(3, 4), 4);
  assert.equal(spoken(7, 7), 7);
  assert.equal(spoken(1, 99), 7);
});

test("a protocol that we do not speak is refused before any secret is looked at", () => {
  let compared = 0;
  for (const [minProtocol, maxProtocol] of [
    [1, 2],
    [8, 9],
    [5, 4],
  ] as const) {
    const decision = decideConnect(
      params({ minProtocol, maxProtocol }),
      context("token", () => {
        compared += 1;
      }),
    );
    assert.deepEqual(refusalOf(decision), {
      code: "protocol_mismatch",
      message: "protocol mismatch",
      detail: "PROTOCOL_MISMATCH",
      closeCode: 1002,
    });
    assert.ok("refusal" in decision && typeof decision.refusal.fault.details?.["expectedProtocol"] === "number");
  }
  assert.equal(compared, 0);
});

test("scopes are as asked; who asks for none gets all, but for protocol 4", () => {
  const scopes = (maxProtocol: number, asked?: string[]) =>
    grantedOf(decideConnect(params({ maxProtocol, ...(asked ? { scopes: asked } : {}) }), context())).scopes;
  assert.deepEqual(scopes(3), ["operator.admin"]);
  assert.deepEqual(scopes(4), []);
  assert.deepEqual(scopes(7), ["operator.admin"]);
  assert.deepEqual(scopes(3, []), []);
  assert.deepEqual(scopes(4, ["operator.read", "everything"]), ["operator.read"]);
});

test("roles: nodes are told that they are not paired, words that are no role are refused", () => {
  assert.deepEqual(refusalOf(decideConnect(params({ role: "worker" }), context())).message, "invalid role");
  const node = refusalOf(decideConnect(params({ role: "node" }), context()));
  assert.equal(node.code, "not_paired");
  assert.equal(node.detail, "PAIRING_REQUIRED");
  assert.match(node.message, /pairing required/u);
});

test("a source with too many wrong secrets is refused unheard, also with the right one; others are not", () => {
  let compared = 0;
  const shared = context("token", () => {
    compared += 1;
  });
  for (let count = 0; count < maxFailures; count += 1)
    decideConnect(params({ auth: { token: `guess ${count}` } }), shared);
  assert.equal(compared, maxFailures);
  for (let count = 0; count < 10_000; count += 1) {
    const limited = decideConnect(params({ auth: { token: `guess ${count}` } }), shared);
    assert.equal(refusalOf(limited).detail, "AUTH_RATE_LIMITED");
  }
  const right = decideConnect(params(), shared);
  assert.equal(refusalOf(right).detail, "AUTH_RATE_LIMITED");
  assert.ok("refusal" in right && (right.refusal.fault.retryAfterMs ?? 0) > 0);
  assert.equal(compared, maxFailures, "a limited source reached the comparison");
  grantedOf(decideConnect(params(), { ...shared, source: "::1" }));
});

test("three guesses in one connect count as three", () => {
  const shared = context();
  for (let count = 0; count < 7; count += 1)
    decideConnect(params({ auth: { token: `a${count}`, password: `b${count}`, deviceToken: `c${count}` } }), shared);
  assert.equal(refusalOf(decideConnect(params(), shared)).detail, "AUTH_RATE_LIMITED");
});

test("connects without a secret never use up anybody's tries", () => {
  const shared = context();
  for (let count = 0; count < 1_000; count += 1) decideConnect(params({ auth: {} }), shared);
  grantedOf(decideConnect(params(), shared));
});
