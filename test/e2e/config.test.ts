// The config over the wire against a real process: what is written, what restarts, who may not.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { createGatewayProcess, freePort, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";

let gateway: GatewayProcess;
let file: string;
before(async () => {
  gateway = await createGatewayProcess();
  file = join(gateway.folder, "state", "openclaw.json");
  await gateway.start();
});
after(() => gateway.dispose());

async function connect(scopes: readonly string[] = ["operator.admin"]): Promise<RawClient> {
  const client = await openRawClient(gateway.port, gateway.token);
  assert.equal((await client.connect({ scopes })).ok, true);
  return client;
}

const hashOf = async (client: RawClient) => (await client.request("config.get")).payload?.["hash"];

test("a key that needs a restart starts the Gateway anew in its process, and clients are told (RB-10, RB-77)", async () => {
  const client = await connect();
  const pid = gateway.pid();
  const answer = await client.request("config.patch", {
    raw: "{ update: { checkOnStart: false } }",
    baseHash: await hashOf(client),
    restartDelayMs: 50,
  });
  assert.equal(answer.ok, true, JSON.stringify(answer));
  assert.deepEqual(answer.payload?.["restartPaths"], ["update.checkOnStart"]);
  assert.deepEqual(
    { ...(answer.payload?.["restart"] as object), delayMs: 50 },
    {
      ok: true,
      pid,
      signal: "SIGUSR1",
      mode: "emit",
      delayMs: 50,
      reason: "config changed: update.checkOnStart",
    },
  );
  const shutdown = await client.wait((frame) => frame.event === "shutdown");
  assert.deepEqual(shutdown.payload, { reason: "gateway restarting", restartExpectedMs: 2_000 });
  assert.equal((await client.closed).code, 1012);

  await listensAgain(1);
  const again = await connect();
  assert.equal(gateway.pid(), pid);
  const got = await again.request("config.get");
  const config = got.payload?.["config"] as { update: { checkOnStart: boolean } };
  assert.equal(config.update.checkOnStart, false);
  again.close();
});

test("SIGUSR1 restarts when the config allows it, and is refused with a word otherwise (RB-10, RB-23, OV-09)", async () => {
  process.kill(gateway.pid(), "SIGUSR1");
  await prints(/SIGUSR1 ignored: set commands\.restart/u);
  const client = await connect();
  await client.request("config.patch", { raw: "{ commands: { restart: true } }", baseHash: await hashOf(client) });
  process.kill(gateway.pid(), "SIGUSR1");
  assert.equal((await client.closed).code, 1012);
  await listensAgain(2);
});

test("a model by another name counts at once, without a restart", async () => {
  const client = await connect();
  const answer = await client.request("config.patch", {
    raw: '{ agents: { defaults: { model: "offline/demo" } } }',
    baseHash: await hashOf(client),
  });
  assert.partialDeepStrictEqual(answer.payload, { restart: { ok: false } });
  const status = await client.request("status");
  assert.partialDeepStrictEqual(status.payload, { sessions: { defaults: { model: "offline/demo" } } });
  client.close();
});

test("a client without the administrator's scope reads and does not write", async () => {
  const text = await readFile(file, "utf8");
  const client = await connect(["operator.read", "operator.write"]);
  const baseHash = await hashOf(client);
  assert.ok(baseHash);
  for (const method of ["config.set", "config.patch", "config.apply"]) {
    const answer = await client.request(method, { raw: "{}", baseHash });
    assert.equal(answer.error?.message, "missing scope: operator.admin");
  }
  assert.equal(await readFile(file, "utf8"), text);
  client.close();
});

test("who may not read gets a health snapshot without sessions, agents, paths and problems (S14)", async () => {
  const full = await connect(["operator.read"]);
  const brief = await connect([]);
  const { payload } = await full.request("health");
  assert.ok(payload?.["sessions"] && payload["agents"] && payload["problems"]);
  const hello = brief.frames.find((frame) => frame.payload?.["snapshot"]);
  const snapshot = hello?.payload?.["snapshot"] as { health: object };
  const known = [
    "ok",
    "ts",
    "durationMs",
    "channels",
    "channelOrder",
    "channelLabels",
    "heartbeatSeconds",
    "defaultAgentId",
  ];
  for (const health of [(await brief.request("health", { probe: true })).payload, snapshot.health]) {
    assert.ok(health);
    assert.deepEqual(Object.keys(health).toSorted(), known.toSorted());
    assert.doesNotMatch(JSON.stringify(health), /sqlite|state/u);
  }
  await full.request("health", { probe: true });
  const event = await brief.wait((frame) => frame.event === "health");
  assert.deepEqual(Object.keys(event.payload ?? {}).toSorted(), known.toSorted());
  full.close();
  brief.close();
});

test("a hand that edits between get and patch is not overwritten", async () => {
  const client = await connect();
  const baseHash = await hashOf(client);
  const edited = `${await readFile(file, "utf8")}// by hand\n`;
  await writeFile(file, edited);
  const answer = await client.request("config.patch", { raw: "{ gateway: { port: 1 } }", baseHash });
  assert.equal(answer.error?.code, "INVALID_REQUEST");
  assert.equal(answer.error?.message, "config changed since last load; re-run config.get and retry");
  assert.equal(await readFile(file, "utf8"), edited);
  client.close();
});

test("a config that cannot be had after a restart is told, and the Gateway goes on where it was", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => {
    taken.listen(0, "127.0.0.1", resolve);
  });
  const { port } = taken.address() as AddressInfo;
  try {
    // the environment names the port before the config does: this Gateway is asked by its file alone
    const other = await createGatewayProcess({
      config: { gateway: { mode: "local", port: await freePort() } },
      env: { OPENCLAW_GATEWAY_PORT: "" },
    });
    try {
      await other.start();
      const listening = /listening on ws:\/\/127\.0\.0\.1:(\d+)/u.exec(other.output());
      const own = Number(listening?.[1]);
      const client = await openRawClient(own, other.token);
      await client.connect();
      const answer = await client.request("config.patch", {
        raw: `{ gateway: { port: ${port}, mode: "remote", auth: { mode: "password" } } }`,
        baseHash: await hashOf(client),
        restartDelayMs: 0,
      });
      assert.equal(answer.ok, true, JSON.stringify(answer));
      await client.closed;
      await until(() => /listening on ws[\s\S]*listening on ws/u.test(other.output()), 10_000);
      const again = await openRawClient(own, other.token);
      assert.equal((await again.connect()).ok, true, "with the secret that it had");
      for (const part of [
        /set gateway\.mode=local \(current: remote/u,
        /no password is set/u,
        new RegExp(`port ${port}`, "u"),
      ])
        assert.match(other.output(), new RegExp(`going on as before the restart: .*${part.source}`, "u"));
      again.close();
    } finally {
      await other.dispose();
    }
  } finally {
    taken.close();
  }
});

async function prints(pattern: RegExp): Promise<void> {
  const giveUpAt = Date.now() + 10_000;
  while (!pattern.test(gateway.output())) {
    assert.ok(Date.now() < giveUpAt, `${String(pattern)} in\n${gateway.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** `restarts` times after its first start. */
const listensAgain = (restarts: number) => prints(new RegExp(`(?:listening on ws[\\s\\S]*){${restarts + 1}}`, "u"));
