// The life of a device over the wire, with the published client and with our own hands, in three generations of the protocol.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { after, afterEach, before, test } from "node:test";

import { GatewayClient } from "@openclaw/gateway-client";

import { createTestDevice, type TestDevice } from "../kit/device.ts";
import { openProxy } from "../kit/node-process.ts";
import { openServerKit, secret, type ServerKit } from "../kit/gateway-server.ts";
import { connectParams, openRawClient, type Frame, type RawClient } from "../kit/raw-client.ts";

let kit: ServerKit;
let owner: RawClient;
const open: { close(): void }[] = [];
/** Not this machine: a proxy brings it here. */
const remote = { "x-forwarded-for": "203.0.113.7" };

before(async () => {
  kit = await openServerKit();
  owner = await openRawClient(kit.port, secret);
  await owner.connect({ scopes: ["operator.admin"] });
});
afterEach(() => open.splice(0).forEach((one) => one.close()));
after(async () => {
  owner.close();
  await kit.stop();
});

interface Joining {
  readonly auth: { token?: string; deviceToken?: string };
  readonly params?: object;
  readonly headers?: Record<string, string>;
  readonly version?: 1 | 2 | 3;
  readonly isNonceLeftOut?: boolean;
}

async function join(device: TestDevice, { auth, params, headers, version, isNonceLeftOut }: Joining) {
  const client = await openRawClient(kit.port, secret, headers);
  open.push(client);
  const challenge = await client.wait((frame) => frame.event === "connect.challenge");
  const { nonce, ts } = challenge.payload as { nonce: string; ts: number };
  const plain = { ...connectParams(secret), ...params, auth };
  const signed = device.sign(plain, isNonceLeftOut ? { ts } : { nonce, ts }, version);
  return { client, hello: await client.request("connect", signed) };
}

const authOf = (hello: Frame) => hello.payload?.["auth"] as { deviceToken: string; role: string; scopes: string[] };

/** How a generation connects. */
type Dialect = Pick<Joining, "params" | "version">;

/** @returns the token of a device that asked and was approved. */
async function pairFromAfar(device: TestDevice, dialect: Dialect): Promise<string> {
  const asked = await join(device, { ...dialect, auth: { token: secret }, headers: remote });
  assert.equal(asked.hello.error?.code, "NOT_PAIRED");
  assert.match(asked.hello.error?.message ?? "", /pairing required/u);
  const requestId = String(asked.hello.error?.details?.["requestId"]);
  assert.match((await asked.client.closed).reason, /^pairing required/u);
  await owner.wait(({ event, payload }) => event === "device.pair.requested" && payload?.["requestId"] === requestId);

  const list = await owner.request("device.pair.list");
  assert.deepEqual(
    ((list.payload?.["pending"] ?? []) as { requestId: string }[]).map((request) => request.requestId),
    [requestId],
  );
  assert.equal((await owner.request("device.pair.approve", { requestId })).ok, true);
  const { hello } = await join(device, { ...dialect, auth: { token: secret }, headers: remote });
  return authOf(hello).deviceToken;
}

const dialects: Record<string, Dialect> = {
  "protocol 3": { params: { minProtocol: 3, maxProtocol: 3 }, version: 2 },
  "protocol 4": { params: { minProtocol: 4, maxProtocol: 4 }, version: 3 },
  // the runbook's own example, with a device beside it
  "protocol 7": {
    params: {
      minProtocol: 7,
      maxProtocol: 7,
      client: { id: "cli-abc123", version: "1.0.0", platform: "darwin", mode: "operator" },
    },
    version: 3,
  },
};

for (const [name, dialect] of Object.entries(dialects)) {
  test(`from afar, ${name}: ask, be approved, come back with the device's token, rotate, revoke`, () => live(dialect));
}

async function live(dialect: Dialect): Promise<void> {
  const device = createTestDevice();
  const enter = (auth: Joining["auth"]) => join(device, { ...dialect, auth, headers: remote });
  const deviceToken = await pairFromAfar(device, dialect);
  // in either field, for either generation
  for (const auth of [{ deviceToken }, { token: deviceToken }]) {
    const { hello } = await enter(auth);
    assert.deepEqual(authOf(hello), {
      ...authOf(hello),
      deviceToken,
      scopes: ["operator.admin"],
    });
  }
  const stolen = await join(createTestDevice(), { auth: { deviceToken }, headers: remote });
  assert.equal(stolen.hello.error?.details?.["code"], "AUTH_DEVICE_TOKEN_MISMATCH");

  const holder = await enter({ deviceToken });
  const rotated = await owner.request("device.token.rotate", { deviceId: device.id, role: "operator" });
  assert.equal((await holder.client.closed).code, 4001);
  const old = await enter({ deviceToken });
  assert.equal(old.hello.error?.details?.["code"], "AUTH_DEVICE_TOKEN_MISMATCH");

  const token = String(rotated.payload?.["token"]);
  const { client, hello } = await enter({ deviceToken: token });
  assert.equal(hello.ok, true);
  const begunAt = performance.now();
  assert.equal((await owner.request("device.token.revoke", { deviceId: device.id, role: "operator" })).ok, true);
  assert.deepEqual(await client.closed, { code: 4001, reason: "device token revoked" });
  assert.ok(performance.now() - begunAt < 1_000);
  assert.equal((await enter({ deviceToken: token })).hello.ok, false);
}

test("the owner at this machine is let in without asking, not so a page of another origin or a mere device token", async () => {
  const device = createTestDevice();
  const { hello } = await join(device, { auth: { token: secret }, params: { scopes: ["operator.read"] } });
  assert.deepEqual(authOf(hello).scopes, ["operator.read"]);
  const { deviceToken } = authOf(hello);
  const more = await join(device, { auth: { deviceToken }, params: { scopes: ["operator.admin"] } });
  assert.equal(more.hello.error?.details?.["reason"], "scope-upgrade");
  const again = await join(device, { auth: { token: secret }, params: { scopes: ["operator.admin"] } });
  assert.equal(again.hello.ok, true);
});

test("every generation's signature is understood; without a nonce only on this machine", async () => {
  const protocols = [
    [3, 2],
    [4, 2],
    [4, 3],
    [7, 3],
  ] as const;
  for (const [protocol, version] of protocols) {
    const params = { minProtocol: protocol, maxProtocol: protocol };
    const { hello } = await join(createTestDevice(), { auth: { token: secret }, params, version });
    assert.equal(hello.ok, true, `protocol ${protocol} with v${version}: ${JSON.stringify(hello.error)}`);
    assert.equal(typeof authOf(hello).deviceToken, "string");
  }
  const old = { auth: { token: secret }, isNonceLeftOut: true, params: { minProtocol: 3, maxProtocol: 3 } };
  assert.equal((await join(createTestDevice(), old)).hello.ok, true);
  const afar = await join(createTestDevice(), { ...old, headers: remote });
  assert.equal(afar.hello.error?.message, "device nonce required");
});

test("a node comes in by its device, with no scopes, and is closed when it is removed", async () => {
  const device = createTestDevice();
  const params = { role: "node", scopes: [], commands: ["system.run"], caps: ["system"] };
  const { client, hello } = await join(device, { auth: { token: secret }, params });
  assert.deepEqual([authOf(hello).role, authOf(hello).scopes], ["node", []]);
  assert.match((await client.request("status")).error?.message ?? "", /unauthorized role: node/u);
  await owner.request("device.pair.remove", { deviceId: device.id });
  assert.deepEqual(await client.closed, { code: 4001, reason: "device removed" });
});

test("who manages devices without being an admin learns no token", async () => {
  const device = createTestDevice();
  await join(device, { auth: { token: secret }, params: { scopes: ["operator.pairing"] } });
  const helper = await openRawClient(kit.port, secret);
  open.push(helper);
  await helper.connect({ scopes: ["operator.pairing"] });
  const rotated = await helper.request("device.token.rotate", { deviceId: device.id, role: "operator" });
  assert.equal(rotated.ok, true);
  assert.equal(rotated.payload?.["token"], undefined);
});

interface Published {
  readonly hello: Promise<{ auth: { deviceToken?: string } }>;
  readonly refused: Promise<Error>;
  readonly closed: Promise<number>;
}

/** A device of the published client. */
function createPublished() {
  const pair = generateKeyPairSync("ed25519");
  const raw = pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const deviceIdentity = {
    deviceId: createHash("sha256").update(raw).digest("hex"),
    publicKeyPem: pair.publicKey.export({ format: "pem", type: "spki" }).toString(),
    privateKeyPem: pair.privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
  };
  const start = (port: number, credentials: { token?: string; deviceToken?: string }): Published => {
    const hello = Promise.withResolvers<{ auth: { deviceToken?: string } }>();
    const refused = Promise.withResolvers<Error>();
    const closed = Promise.withResolvers<number>();
    const client = new GatewayClient({
      url: `ws://127.0.0.1:${port}`,
      ...credentials,
      clientName: "gateway-client",
      mode: "backend",
      deviceIdentity,
      scopes: ["operator.read"],
      hostDeps: {
        signDevicePayload: (_pem, payload) => sign(null, Buffer.from(payload), pair.privateKey).toString("base64url"),
        publicKeyRawBase64UrlFromPem: () => raw.toString("base64url"),
      },
      // what the published types call HelloOk has this in it
      onHelloOk: (payload: unknown) => hello.resolve(payload as { auth: { deviceToken?: string } }),
      onConnectError: (error: Error) => refused.resolve(error),
      onClose: (code: number) => closed.resolve(code),
    });
    client.start();
    open.push({ close: () => client.stop() });
    return { hello: hello.promise, refused: refused.promise, closed: closed.promise };
  };
  return { deviceId: deviceIdentity.deviceId, start };
}

test("the published client pairs by itself at this machine", async () => {
  const { auth } = await createPublished().start(kit.port, { token: secret }).hello;
  assert.equal(typeof auth.deviceToken, "string");
});

test("the published client from afar: told to wait, approved, in by itself, back with its token, rotated, revoked", async () => {
  const proxy = await openProxy(kit.port);
  open.push({ close: () => void proxy.stop() });
  const device = createPublished();
  const first = device.start(proxy.port, { token: secret });
  assert.match((await first.refused).message, /pairing required/u);
  const { payload } = await owner.request("device.pair.list");
  const pending = (payload?.["pending"] ?? []) as { requestId: string; deviceId: string; remoteIp?: string }[];
  const request = pending.find(({ deviceId }) => deviceId === device.deviceId);
  assert.ok(request);
  await owner.request("device.pair.approve", { requestId: request.requestId });
  // it tries again by itself
  const { deviceToken = "" } = (await first.hello).auth;

  const second = device.start(proxy.port, { deviceToken });
  assert.equal((await second.hello).auth.deviceToken, deviceToken);
  const rotated = await owner.request("device.token.rotate", { deviceId: device.deviceId, role: "operator" });
  assert.equal(await second.closed, 4001);
  assert.match((await device.start(proxy.port, { deviceToken }).refused).message, /device token mismatch/u);

  const third = device.start(proxy.port, { deviceToken: String(rotated.payload?.["token"]) });
  await third.hello;
  const begunAt = performance.now();
  await owner.request("device.token.revoke", { deviceId: device.deviceId, role: "operator" });
  assert.equal(await third.closed, 4001);
  assert.ok(performance.now() - begunAt < 1_000);
});

test("a tailnet login is no device: without one it is refused, with one it has to be approved (OV-14)", async () => {
  const tailnet = await openServerKit({ tailscaleLogin: async () => "ann@example.com" });
  const afar = await openRawClient(tailnet.port, secret, remote);
  const bare = { ...connectParams(secret), auth: {} };
  const refused = await afar.request("connect", bare);
  assert.deepEqual([refused.error?.code, refused.error?.message], ["NOT_PAIRED", "device identity required"]);
  const client = await openRawClient(tailnet.port, secret, remote);
  const { payload } = await client.wait((frame) => frame.event === "connect.challenge");
  const asked = await client.request(
    "connect",
    createTestDevice().sign(bare, payload as { nonce: string; ts: number }),
  );
  assert.match(asked.error?.message ?? "", /^pairing required/u);
  await tailnet.stop();
});
