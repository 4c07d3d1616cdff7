// Our client as a device, with files of its own, at a real Gateway's door.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";

import { WebSocket } from "ws";

import { systemClock } from "../../src/base/clock.ts";
import { connect, type ConnectOptions } from "../../src/client/connect.ts";
import { openDeviceIdentity } from "../../src/client/device-identity.ts";
import { createDeviceTokens } from "../../src/client/device-tokens.ts";
import { openNodeSocket } from "../../src/client/node-socket.ts";
import { keepConnected, type SteadyClient, type SteadyState } from "../../src/client/reconnect.ts";
import type { ClientSocket } from "../../src/client/socket.ts";
import { createPrivateFiles, isNotWritable } from "../../src/platform/private-files.ts";
import { openServerKit, secret, type ServerKit } from "../kit/gateway-server.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";

let kit: ServerKit;
let owner: RawClient;
const cleanUps: (() => Promise<void> | void)[] = [];

before(async () => {
  kit = await openServerKit();
  owner = await openRawClient(kit.port, secret);
  await owner.connect({ scopes: ["operator.admin"] });
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});
after(async () => {
  owner.close();
  await kit.stop();
});

/** Not this machine: a proxy brings it here. */
function openFromAfar(url: string): ClientSocket {
  const socket = new WebSocket(url, { headers: { "x-forwarded-for": "203.0.113.9" } });
  return {
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    onOpen: (listener) => socket.on("open", listener),
    onMessage: (listener) => socket.on("message", (data) => listener(data.toString())),
    onClose: (listener) => socket.on("close", (code, reason) => listener(code, reason.toString())),
    onError: (listener) => socket.on("error", listener),
  };
}

interface Machine {
  readonly deviceId: string;
  readonly tokenFile: string;
  options(extra?: Partial<ConnectOptions>): ConnectOptions;
}

async function openMachine(): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), "client-"));
  cleanUps.push(() => rm(folder, { recursive: true, force: true }));
  const files = createPrivateFiles();
  const path = join(folder, "identity", "device-auth.json");
  const identityPath = join(folder, "identity", "device.json");
  const identity = await openDeviceIdentity({ path: identityPath, files, clock: systemClock });
  return {
    deviceId: identity.deviceId,
    tokenFile: path,
    options: (extra = {}) => ({
      url: kit.url,
      openSocket: openNodeSocket,
      auth: {},
      scopes: ["operator.read"],
      client: { id: "test", mode: "test", version: "1.0.0", platform: process.platform, deviceFamily: "Linux" },
      device: { identity, tokens: createDeviceTokens({ path, files, isNotWritable }) },
      newId: () => crypto.randomUUID(),
      clock: systemClock,
      timeoutMs: 5_000,
      ...extra,
    }),
  };
}

interface Watched {
  readonly client: SteadyClient;
  reach<Name extends SteadyState["state"]>(name: Name): Promise<Extract<SteadyState, { state: Name }>>;
}

function keep(options: ConnectOptions): Watched {
  const client = keepConnected({ ...options, backoff: { initialMs: 50, maxMs: 50, factor: 1, jitter: 0 } });
  cleanUps.push(() => client.close());
  return {
    client,
    reach: (name) =>
      new Promise((resolve) => {
        const stop = client.onState((state) => {
          if (state.state !== name) return;
          stop();
          // looked at just above
          resolve(state as Extract<SteadyState, { state: typeof name }>);
        });
      }),
  };
}

test("on this machine the secret pairs the device, and its token alone opens the door from then on", async () => {
  const machine = await openMachine();
  const first = await connect(machine.options({ auth: { token: secret } }));
  first.close();
  const second = await connect(machine.options());
  cleanUps.push(() => second.close());
  assert.deepEqual(second.hello.auth.scopes, ["operator.read"]);
  assert.equal(await second.call("device.pair.list", {}, { timeoutMs: 5_000 }).catch(({ code }) => code), "forbidden");

  const stranger = await openMachine();
  await assert.rejects(connect(stranger.options()), { code: "unauthorized" });
});

test("a wrong secret is made up for by the device's own token", async () => {
  const machine = await openMachine();
  (await connect(machine.options({ auth: { token: secret } }))).close();
  const client = await connect(machine.options({ auth: { token: "from an old config" } }));
  client.close();
  assert.equal(client.hello.type, "hello-ok");
});

test("from afar: it waits for approval by itself, comes back with its token, and ends when that is taken away", async () => {
  const machine = await openMachine();
  const afar = { openSocket: openFromAfar };
  const asking = keep(machine.options({ ...afar, auth: { token: secret } }));
  const { fault } = await asking.reach("waiting");
  assert.equal(fault.code, "not_paired");
  const approved = asking.reach("connected");
  const requestId = String(fault.details?.["requestId"]);
  assert.equal((await owner.request("device.pair.approve", { requestId })).ok, true);
  await approved;
  asking.client.close();
  assert.match(await readFile(machine.tokenFile, "utf8"), new RegExp(machine.deviceId, "u"));

  const paired = keep(machine.options(afar));
  await paired.reach("connected");
  const revokedAt = performance.now();
  const stopped = paired.reach("stopped");
  assert.equal((await owner.request("device.token.revoke", { deviceId: machine.deviceId, role: "operator" })).ok, true);
  assert.equal((await stopped).fault?.code, "unauthorized");
  assert.ok(performance.now() - revokedAt < 1_000);
  assert.doesNotMatch(await readFile(machine.tokenFile, "utf8"), new RegExp(machine.deviceId, "u"));
});

test("after a rotation the new token comes with the next connection by the secret", async () => {
  const machine = await openMachine();
  const holder = keep(machine.options({ auth: { token: secret } }));
  await holder.reach("connected");
  const earlier = await readFile(machine.tokenFile, "utf8");
  const again = holder.reach("connected");
  const rotated = await owner.request("device.token.rotate", { deviceId: machine.deviceId, role: "operator" });
  assert.equal(rotated.ok, true);
  await again;
  const kept = await readFile(machine.tokenFile, "utf8");
  assert.notEqual(kept, earlier);
  holder.client.close();
  (await connect(machine.options())).close();
});
