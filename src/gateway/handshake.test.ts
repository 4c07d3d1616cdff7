import assert from "node:assert/strict";
import { after, test } from "node:test";

import fc from "fast-check";

import { createTestDevice, type TestDevice } from "../../test/kit/device.ts";
import { openDevicesKit } from "../../test/kit/devices.ts";
import { createManualClock } from "../base/clock.ts";
import type { ConnectParams } from "../protocol/connect.ts";
import { createLimiter, maxFailures } from "./auth/limiter.ts";
import { createSecretCheck } from "../base/secret-check.ts";
import { decideConnect, type ConnectContext, type ConnectDecision } from "./handshake.ts";

const secret = "the-right-secret";
const clock = createManualClock();
const kit = openDevicesKit({ clock });
after(() => kit.close());
const nonce = "the-nonce";

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
    devices: kit.devices,
    nonce,
    now: clock.now(),
    isLocal: true,
    isOwnPage: true,
    remoteIp: undefined,
    isInsecureUiAllowed: false,
    approveCommand: (requestId) => `openclaw devices approve ${requestId}`,
    tailscaleLogin: async () => undefined,
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

function refusalOf(decision: ConnectDecision) {
  assert.ok("refusal" in decision, "it was granted");
  const { fault, closeCode } = decision.refusal;
  return { code: fault.code, message: fault.message, detail: fault.details?.["code"], closeCode };
}

function grantedOf(decision: ConnectDecision) {
  assert.ok("granted" in decision, "it was refused");
  return decision.granted;
}

test("only a right credential lets anybody in, in whichever field it comes and whatever stands beside it (RB-25, OV-13, VG-07)", async () => {
  const device = createTestDevice();
  const other = createTestDevice();
  const tokens = new Map<string, string>();
  for (const [name, one] of [
    ["own", device],
    ["other", other],
  ] as const) {
    const decision = await decideConnect(one.sign(params({ scopes: ["operator.admin"] }), challenge()), context());
    tokens.set(name, grantedOf(decision).device?.token ?? "");
  }
  const right = { shared: secret, own: tokens.get("own"), other: tokens.get("other") };
  const cell = fc.constantFrom(
    undefined,
    "",
    "wrong",
    `${secret} `,
    secret.slice(1),
    "null",
    "undefined",
    device.id,
    ...Object.values(right),
  );
  let isNode = false;
  await fc.assert(
    fc.asyncProperty(
      fc.record({ token: cell, password: cell, deviceToken: cell, bootstrapToken: cell }),
      fc.constantFrom("token" as const, "password" as const),
      fc.constantFrom("none" as const, "signed" as const, "forged" as const, "stale" as const, "replayed" as const),
      fc.constantFrom("operator", "node"),
      fc.boolean(),
      async (auth, mode, identity, role, isLocal) => {
        // as JSON.parse would give it: without the absent fields
        const plain = JSON.parse(
          JSON.stringify(params({ auth, scopes: ["operator.read"], role } as object)),
        ) as ConnectParams;
        const decision = await decideConnect(withIdentity(plain, device, identity), { ...context(mode), isLocal });
        const presented = [auth.token, auth.password, auth.deviceToken];
        const isShared = presented.includes(secret);
        // as a node its owner, at this machine, brings it in without asking, once
        const isSigned = identity === "signed";
        const isNodeShown = role === "node" && isSigned && isShared;
        isNode ||= isNodeShown && isLocal;
        const isOperator = isShared || (isSigned && presented.includes(right.own));
        const expected = role === "node" ? isNodeShown && isNode : isOperator;
        const isKnown = ["none", "signed"].includes(identity);
        assert.equal("granted" in decision, isKnown && expected, JSON.stringify({ auth, identity, role, isLocal }));
      },
    ),
    { numRuns: 600 },
  );
});

const challenge = () => ({ nonce, ts: clock.now() });

function withIdentity(
  plain: ConnectParams,
  device: TestDevice,
  identity: "none" | "signed" | "forged" | "stale" | "replayed",
): ConnectParams {
  // ConnectParams and the kit's idea of them differ in nothing but mutability
  const signed = (ts: number, by = nonce) => device.sign(plain as never, { nonce: by, ts }) as unknown as ConnectParams;
  switch (identity) {
    case "none":
      return plain;
    case "signed":
      return signed(clock.now());
    case "forged":
      return { ...signed(clock.now()), scopes: ["operator.read", "operator.admin"] };
    case "stale":
      return signed(clock.now() - 11 * 60_000);
    case "replayed":
      return signed(clock.now(), "another nonce");
  }
}

test("without any auth the secret is missing, by the name of the configured mode (RB-24, OV-11)", async () => {
  for (const auth of [undefined, {}, { token: "" }, { token: "", password: "" }]) {
    const sent = params();
    delete sent.auth;
    assert.deepEqual(refusalOf(await decideConnect({ ...sent, ...(auth ? { auth } : {}) }, context())), {
      code: "unauthorized",
      message: "unauthorized: gateway token missing (provide gateway auth token)",
      detail: "AUTH_TOKEN_MISSING",
      closeCode: 1008,
    });
  }
  const wrong = await decideConnect(params({ auth: { password: "x" } }), context("password"));
  assert.equal(refusalOf(wrong).message, "unauthorized: gateway password mismatch (provide gateway auth password)");
  assert.equal(refusalOf(wrong).detail, "AUTH_PASSWORD_MISMATCH");
});

test("the hint says where this client keeps its secret", async () => {
  const hint = async (id: string, mode: string) =>
    refusalOf(
      await decideConnect(params({ client: { ...params().client, id, mode }, auth: { token: "x" } }), context()),
    ).message;
  assert.match(await hint("cli", "cli"), /\(set gateway\.remote\.token to match gateway\.auth\.token\)$/u);
  assert.match(await hint("openclaw-control-ui", "webchat"), /paste token in Control UI settings\)$/u);
  assert.match(await hint("openclaw-macos", "ui"), /\(provide gateway auth token\)$/u);
});

test("the highest common protocol is spoken, from 3 to 7", async () => {
  const spoken = async (minProtocol: number, maxProtocol: number) =>
    grantedOf(await decideConnect(params({ minProtocol, maxProtocol }), context())).protocol;
  assert.equal(await spoken(3, 3), 3);
  assert.equal(await spoken(4, 4), 4);
  assert.equal(await spoken(3, 4), 4);
  assert.equal(await spoken(7, 7), 7);
  assert.equal(await spoken(1, 99), 7);
});

test("a protocol that we do not speak is refused before any secret is looked at", async () => {
  let compared = 0;
  for (const [minProtocol, maxProtocol] of [
    [1, 2],
    [8, 9],
    [5, 4],
  ] as const) {
    const decision = await decideConnect(
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

test("scopes are as asked; who asks for none gets all, but for protocol 4", async () => {
  const scopes = async (maxProtocol: number, asked?: string[]) =>
    grantedOf(await decideConnect(params({ maxProtocol, ...(asked ? { scopes: asked } : {}) }), context())).scopes;
  assert.deepEqual(await scopes(3), ["operator.admin"]);
  assert.deepEqual(await scopes(4), []);
  assert.deepEqual(await scopes(7), ["operator.admin"]);
  assert.deepEqual(await scopes(3, []), ["operator.admin"]);
  assert.deepEqual(await scopes(4, []), []);
  assert.deepEqual(await scopes(4, ["operator.read", "everything"]), ["operator.read"]);
});

test("roles: a node needs a device, words that are no role are refused", async () => {
  assert.deepEqual(refusalOf(await decideConnect(params({ role: "worker" }), context())).message, "invalid role");
  const node = refusalOf(await decideConnect(params({ role: "node" }), context()));
  assert.deepEqual([node.code, node.detail], ["not_paired", "DEVICE_IDENTITY_REQUIRED"]);
});

test("a source with too many wrong secrets is refused unheard, also with the right one; others are not", async () => {
  let compared = 0;
  const shared = context("token", () => {
    compared += 1;
  });
  for (let count = 0; count < maxFailures; count += 1)
    await decideConnect(params({ auth: { token: `guess ${count}` } }), shared);
  assert.equal(compared, maxFailures);
  for (let count = 0; count < 10_000; count += 1) {
    const limited = await decideConnect(params({ auth: { token: `guess ${count}` } }), shared);
    assert.equal(refusalOf(limited).detail, "AUTH_RATE_LIMITED");
  }
  const right = await decideConnect(params(), shared);
  assert.equal(refusalOf(right).detail, "AUTH_RATE_LIMITED");
  assert.ok("refusal" in right && (right.refusal.fault.retryAfterMs ?? 0) > 0);
  assert.equal(compared, maxFailures, "a limited source reached the comparison");
  grantedOf(await decideConnect(params(), { ...shared, source: "::1" }));
});

test("three guesses in one connect count as three", async () => {
  const shared = context();
  for (let count = 0; count < 7; count += 1)
    await decideConnect(
      params({ auth: { token: `a${count}`, password: `b${count}`, deviceToken: `c${count}` } }),
      shared,
    );
  assert.equal(refusalOf(await decideConnect(params(), shared)).detail, "AUTH_RATE_LIMITED");
});

test("connects without a secret never use up anybody's tries", async () => {
  const shared = context();
  for (let count = 0; count < 1_000; count += 1) await decideConnect(params({ auth: {} }), shared);
  grantedOf(await decideConnect(params(), shared));
});

test("on a full disk its owner comes in, known devices too, and others are told what to do (R32)", async () => {
  const [known, stranger, node] = [createTestDevice(), createTestDevice(), createTestDevice()];
  const connect = (device: TestDevice, changes: Partial<ConnectParams>, at: Partial<ConnectContext> = {}) =>
    decideConnect(device.sign(params(changes), challenge()), { ...context(), ...at });
  const asked = { scopes: ["operator.read"] };
  const { device } = grantedOf(await connect(known, asked));
  await clock.advance(3_600_000);
  kit.isDiskFull = true;
  try {
    const again = grantedOf(await connect(known, { ...asked, auth: { token: device?.token } }, { isLocal: false }));
    assert.deepEqual([again.device, again.scopes], [device, asked.scopes]);
    const owner = grantedOf(await connect(stranger, asked));
    assert.deepEqual([owner.device, owner.scopes], [undefined, asked.scopes]);
    for (const refused of [
      connect(stranger, asked, { isLocal: false }),
      connect(node, { role: "node" }),
      connect(known, { scopes: ["operator.admin"], auth: { token: device?.token } }, { isLocal: false }),
    ]) {
      const { code, closeCode } = refusalOf(await refused);
      assert.deepEqual([code, closeCode], ["storage", 1013]);
    }
  } finally {
    kit.isDiskFull = false;
  }
  assert.ok(grantedOf(await connect(stranger, asked)).device);
});
