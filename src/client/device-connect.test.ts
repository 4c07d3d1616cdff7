import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { afterEach, test } from "node:test";

import { createManualClock, systemClock } from "../base/clock.ts";
import { faultOf } from "../../test/kit/fault.ts";
import { buildDevicePayload, encodeBase64Url, parsePublicKey, toDeviceId, toSpki } from "../protocol/device-auth.ts";
import {
  challenge,
  hello,
  ok,
  openScriptedGateway,
  refused,
  welcoming,
  type Script,
  type ScriptedGateway,
} from "../../test/kit/scripted-gateway.ts";
import { connect, type ConnectOptions, type GatewayClient } from "./connect.ts";
import type { DeviceIdentity, DeviceToken, DeviceTokenKey, DeviceTokens } from "./device.ts";
import { openNodeSocket } from "./node-socket.ts";

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
const identity: DeviceIdentity = {
  deviceId: toDeviceId(createHash("sha256").update(raw).digest()),
  publicKey: encodeBase64Url(raw),
  // as a browser does it: later
  sign: (text) => Promise.resolve(encodeBase64Url(sign(undefined, Buffer.from(text), privateKey))),
};

interface MemoryTokens extends DeviceTokens {
  readonly kept: Map<string, DeviceToken>;
}

function createTokens(): MemoryTokens {
  const kept = new Map<string, DeviceToken>();
  const name = ({ gateway, deviceId, role }: DeviceTokenKey) => `${gateway} ${deviceId} ${role}`;
  return {
    kept,
    load: (key) => Promise.resolve(kept.get(name(key))),
    save: (key, token) => Promise.resolve(void kept.set(name(key), token)),
    remove: (key, token) => Promise.resolve(void (kept.get(name(key))?.token === token && kept.delete(name(key)))),
  };
}

async function openServer(script: Script, greeting: unknown = challenge): Promise<ScriptedGateway> {
  const server = await openScriptedGateway(script, greeting);
  cleanUps.push(() => server.stop());
  return server;
}

let ids = 0;
async function open(url: string, extra: Partial<ConnectOptions> = {}): Promise<GatewayClient> {
  const client = await connect({
    url,
    openSocket: openNodeSocket,
    auth: {},
    scopes: ["operator.read", "operator.write"],
    client: { id: "cli", mode: "cli", version: "1.0.0", platform: "Linux" },
    newId: () => `id-${(ids += 1)}`,
    clock: systemClock,
    timeoutMs: 5_000,
    ...extra,
  });
  cleanUps.push(() => client.close());
  return client;
}

interface SentParams {
  client: { id: string; mode: string; platform: string };
  role: string;
  scopes: string[];
  auth: Record<string, string>;
  device: { id: string; publicKey: string; signature: string; signedAt: number; nonce?: string };
}

/** What was sent, with its signature verified over the payload of this version. */
function verified(server: ScriptedGateway, version: 1 | 2 | 3): SentParams {
  const params = server.requests.at(-1)?.params as unknown as SentParams;
  const { device } = params;
  const key = createPublicKey({
    key: Buffer.from(toSpki(parsePublicKey(device.publicKey) ?? new Uint8Array())),
    format: "der",
    type: "spki",
  });
  const text = Buffer.from(buildDevicePayload(version, params, device));
  assert.ok(verify(undefined, text, key, Buffer.from(device.signature, "base64url")), `v${version}`);
  assert.equal(device.id, identity.deviceId);
  return params;
}

const newer = { ...challenge, payload: { ...challenge.payload, capabilities: [] } };
const giving = (deviceToken: string, scopes = ["operator.read"]) => ({
  ...hello,
  auth: { role: "operator", scopes, deviceToken, issuedAtMs: 1 },
});
const mismatch = (code: string, more: object = {}) => ({
  code: "INVALID_REQUEST",
  message: "unauthorized: gateway token mismatch (provide gateway auth token)",
  details: { code, ...more },
});

test("a device signs the challenge at the Gateway's own time, in the form that this generation knows", async () => {
  const device = { identity, tokens: createTokens() };
  for (const [greeting, version] of [
    [challenge, 2],
    [newer, 3],
  ] as const) {
    const server = await openServer(welcoming(), greeting);
    await open(server.url, { auth: { token: "X" }, device });
    const params = verified(server, version);
    assert.equal(params.device.nonce, challenge.payload.nonce);
    assert.equal(params.device.signedAt, challenge.payload.ts);
    assert.deepEqual(params.auth, { token: "X" });
  }
});

test("without a challenge it signs without a nonce, at its own time", async () => {
  const server = await openServer(welcoming(), null);
  const clock = createManualClock();
  const opening = open(server.url, { auth: { token: "X" }, device: { identity, tokens: createTokens() }, clock });
  while (server.peers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await clock.advance(750);
  await opening;
  const { device } = verified(server, 1);
  assert.equal(device.nonce, undefined);
  assert.equal(device.signedAt, clock.now());
});

test("the token that a Gateway gives is kept for it, and serves when no secret is configured", async () => {
  const tokens = createTokens();
  const device = { identity, tokens };
  const server = await openServer(({ id }, peer) => peer.send(ok(id, giving("given"))), newer);
  await open(server.url, { auth: { token: "X" }, device });
  assert.deepEqual(
    [...tokens.kept.entries()],
    [[`${server.url} ${identity.deviceId} operator`, { token: "given", scopes: ["operator.read"] }]],
  );
  await open(server.url, { device });
  assert.deepEqual(verified(server, 3).auth, { deviceToken: "given" });
  await open(server.url, { auth: { password: "P" }, device });
  assert.deepEqual(verified(server, 3).auth, { password: "P" });

  const older = await openServer(welcoming());
  await open(older.url, { device });
  assert.deepEqual(verified(older, 2).auth, {}, "it goes to no other Gateway");
  await tokens.save(
    { gateway: older.url, deviceId: identity.deviceId, role: "operator" },
    { token: "old", scopes: [] },
  );
  await open(older.url, { device });
  assert.deepEqual(verified(older, 2).auth, { token: "old" }, "the older generation knows no field of its own for it");
});

test("a token of one role does not serve another", async () => {
  const tokens = createTokens();
  const server = await openServer(({ id }, peer) => peer.send(ok(id, giving("given"))), newer);
  await open(server.url, { auth: { token: "X" }, device: { identity, tokens } });
  await open(server.url, { role: "node", scopes: [], device: { identity, tokens } });
  const params = verified(server, 3);
  assert.deepEqual([params.role, params.scopes, params.auth], ["node", [], {}]);
});

test("a setup code serves until there is a token", async () => {
  const tokens = createTokens();
  const options = { auth: { bootstrapToken: "once" }, device: { identity, tokens } };
  const server = await openServer(({ id }, peer) => peer.send(ok(id, giving("given"))), newer);
  await open(server.url, options);
  assert.deepEqual(verified(server, 3).auth, { bootstrapToken: "once" });
  await open(server.url, options);
  assert.deepEqual(verified(server, 3).auth, { deviceToken: "given" });
});

test("a token that the Gateway no longer takes is forgotten; a limit or a missing scope leaves it", async () => {
  const tokens = createTokens();
  const key = { deviceId: identity.deviceId, role: "operator" };
  const outcomes: [object, boolean][] = [
    [mismatch("AUTH_DEVICE_TOKEN_MISMATCH"), false],
    [mismatch("AUTH_TOKEN_MISMATCH"), false],
    [{ code: "INVALID_REQUEST", message: "unauthorized: gateway token mismatch (x)" }, false],
    [mismatch("AUTH_RATE_LIMITED"), true],
    [mismatch("AUTH_SCOPE_MISMATCH"), true],
    [{ code: "NOT_PAIRED", message: "pairing required" }, true],
    [{ code: "UNAVAILABLE", message: "gateway starting" }, true],
  ];
  for (const [error, isKept] of outcomes) {
    const server = await openServer(({ id }, peer) => peer.send(refused(id, error)));
    await tokens.save({ ...key, gateway: server.url }, { token: "stale", scopes: [] });
    await faultOf(open(server.url, { device: { identity, tokens } }));
    assert.equal((await tokens.load({ ...key, gateway: server.url })) !== undefined, isKept, JSON.stringify(error));
    assert.equal(server.requests.length, 1);
  }
});

/** Takes the device's token only, and says so. */
const onlyDevice: Script = ({ id, params }, peer) => {
  const { deviceToken } = params["auth"] as Record<string, string>;
  if (deviceToken === "good") peer.send(ok(id, giving("good")));
  else {
    const code = deviceToken === undefined ? "AUTH_TOKEN_MISMATCH" : "AUTH_DEVICE_TOKEN_MISMATCH";
    peer.send(refused(id, mismatch(code, { canRetryWithDeviceToken: deviceToken === undefined })));
    peer.close(1008, "unauthorized");
  }
};

test("with a wrong secret it tries once more as the device, where the Gateway asks for it", async () => {
  const tokens = createTokens();
  const server = await openServer(onlyDevice, newer);
  await tokens.save(
    { gateway: server.url, deviceId: identity.deviceId, role: "operator" },
    { token: "good", scopes: [] },
  );
  const client = await open(server.url, { auth: { token: "wrong" }, device: { identity, tokens } });
  assert.equal(client.hello.type, "hello-ok");
  assert.deepEqual(
    server.requests.map(({ params }) => params["auth"]),
    [{ token: "wrong" }, { deviceToken: "good" }],
  );
});

test("when the device's token is wrong too, it is forgotten, and the secret is what is told", async () => {
  const tokens = createTokens();
  const server = await openServer(onlyDevice, newer);
  await tokens.save(
    { gateway: server.url, deviceId: identity.deviceId, role: "operator" },
    { token: "bad", scopes: [] },
  );
  const options = { auth: { token: "wrong" }, device: { identity, tokens } };
  const fault = await faultOf(open(server.url, options));
  assert.equal(fault.details?.["code"], "AUTH_TOKEN_MISMATCH");
  assert.equal(server.requests.length, 2);
  assert.equal(tokens.kept.size, 0);
  await faultOf(open(server.url, options));
  assert.equal(server.requests.length, 3, "with nothing else to try there is no second try");
});

test("a secret that somebody insists on is not replaced by the device's token", async () => {
  const tokens = createTokens();
  const server = await openServer(onlyDevice, newer);
  const key = { gateway: server.url, deviceId: identity.deviceId, role: "operator" };
  await tokens.save(key, { token: "good", scopes: [] });
  const options = { auth: { token: "wrong" }, device: { identity, tokens }, insistsOnAuth: true };
  assert.equal((await faultOf(open(server.url, options))).code, "unauthorized");
  assert.equal(server.requests.length, 1);
});

test("a Gateway that does not ask for the device's token does not get it", async () => {
  const tokens = createTokens();
  const server = await openServer(({ id }, peer) => peer.send(refused(id, mismatch("AUTH_TOKEN_MISMATCH"))), newer);
  await tokens.save(
    { gateway: server.url, deviceId: identity.deviceId, role: "operator" },
    { token: "good", scopes: [] },
  );
  await faultOf(open(server.url, { auth: { token: "wrong" }, device: { identity, tokens } }));
  assert.equal(server.requests.length, 1);
  assert.equal(tokens.kept.size, 1);
});

test("an address where the secret could be read on the way gets no connection at all", async () => {
  let opened = 0;
  const openSocket = () => {
    opened += 1;
    return openNodeSocket("ws://127.0.0.1:9");
  };
  const fault = await faultOf(open("ws://198.51.100.7:18789", { auth: { token: "X" }, openSocket }));
  assert.equal(fault.code, "usage");
  assert.match(fault.next ?? "", /wss:/u);
  assert.equal(opened, 0);
});
