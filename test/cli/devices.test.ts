// The devices' commands against a running Gateway, each as its own process.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createTestDevice } from "../kit/device.ts";
import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { connectParams, openRawClient } from "../kit/raw-client.ts";

let gateway: GatewayProcess;
before(async () => {
  gateway = await startGatewayProcess();
});
after(() => gateway?.dispose());

const device = createTestDevice();

async function knock(auth: object) {
  const client = await openRawClient(gateway.port, gateway.token, { "x-forwarded-for": "203.0.113.7" });
  const { payload } = await client.wait(({ event }) => event === "connect.challenge");
  const params = { ...connectParams(gateway.token), scopes: ["operator.read"], auth };
  const hello = await client.request("connect", device.sign(params, payload as { nonce: string; ts: number }));
  return { client, hello };
}

test("a device from afar is seen, approved, given a new token and put out, all by hand", async () => {
  const asked = await knock({ token: gateway.token });
  assert.equal(asked.hello.error?.code, "NOT_PAIRED");
  const command = String(asked.hello.error?.details?.["remediationHint"]);
  assert.match(command, /^openclaw devices approve [0-9a-f-]{36}$/u);

  const list = await gateway.cli("devices", "list");
  assert.equal(list.code, 0, list.stderr);
  assert.match(list.stdout, /Waiting for approval:[\s\S]*not-paired/u);
  const approved = await gateway.cli(...command.split(" ").slice(1));
  assert.deepEqual([approved.code, approved.stderr], [0, ""]);

  const { hello } = await knock({ token: gateway.token });
  assert.equal(hello.ok, true);
  const short = device.id.slice(0, 12);
  const rotated = await gateway.cli("devices", "rotate", "--device", short, "--json");
  const { token } = JSON.parse(rotated.stdout) as { token: string };
  const back = await knock({ deviceToken: token });
  assert.equal(back.hello.ok, true);

  assert.equal((await gateway.cli("devices", "rename", short, "attic")).code, 0);
  assert.match((await gateway.cli("devices", "list")).stdout, /attic/u);
  assert.equal((await gateway.cli("devices", "revoke", "--device", short)).code, 0);
  assert.equal((await back.client.closed).code, 4001);
  assert.equal((await gateway.cli("devices", "remove", short)).code, 0);
  const { stdout } = await gateway.cli("devices", "list", "--json");
  const { paired } = JSON.parse(stdout) as { paired: { deviceId: string }[] };
  assert.ok(!paired.some(({ deviceId }) => deviceId === device.id));
});

test("what does not exist, or is not said, is told with the next step", async () => {
  const none = await gateway.cli("devices", "approve");
  assert.deepEqual([none.code, none.stdout], [1, ""]);
  assert.match(none.stderr, /error: no device waits to be let in\nnext: see openclaw devices list/u);
  assert.equal((await gateway.cli("devices", "revoke")).code, 2);
  assert.equal((await gateway.cli("devices", "revoke", "--device", "x", "--role", "king")).code, 2);
});
