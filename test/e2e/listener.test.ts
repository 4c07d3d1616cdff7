// A real Gateway whose port or address is changed while it works: the listener alone closes and opens anew. Who is connected is told
// and comes again, turns and channels go on, and an address that cannot be had changes nothing (R7).

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { freePort, mockProvider, startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { startModelServer, type ModelServer } from "../kit/model-server.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

let telegram: FakeTelegram;
let model: ModelServer;
let gateway: GatewayProcess;
let port: number;
/** What the model was asked is answered when these are called. */
const held: (() => void)[] = [];

before(async () => {
  telegram = await startFakeTelegram();
  model = await startModelServer(
    ({ messages }) =>
      new Promise((resolve) => void held.push(() => resolve(`re ${JSON.stringify(messages.at(-1)?.content)}`))),
  );
  port = await freePort();
  const config = {
    gateway: { mode: "local", port, reload: { debounceMs: 50 } },
    agents: { defaults: { model: "mock/first" } },
    models: { providers: mockProvider(model.baseUrl) },
    channels: { telegram: { botToken: telegram.token, apiRoot: telegram.apiRoot, allowFrom: [1001] } },
  };
  gateway = await startGatewayProcess({ config, env: { OPENCLAW_GATEWAY_PORT: "" } });
});
after(async () => {
  await gateway?.dispose();
  await telegram?.close();
  await model?.close();
});

const logins = () => telegram.calls.filter(({ method }) => method === "getMe").length;
const sent = () => telegram.calls.filter(({ method }) => method === "sendMessage").map(({ body }) => body["text"]);
const file = () => join(gateway.folder, "state", "openclaw.json");
async function connect(at = port): Promise<RawClient> {
  const client = await openRawClient(at, gateway.token);
  assert.equal((await client.connect()).ok, true);
  return client;
}
const patch = async (client: RawClient, raw: string) => {
  const { hash } = (await client.request("config.get")).payload ?? {};
  const { payload, error } = await client.request("config.patch", { raw, baseHash: hash });
  assert.equal(error, undefined);
  return payload ?? {};
};

test("a new port: clients are told and close with 1012, the turn under way goes on, and no channel notices (OV-37)", async () => {
  const [client, watcher, pid, logged] = [await connect(), await connect(), gateway.pid(), logins()];
  telegram.addMessage({ chatId: 1001, text: "hello" });
  client.send({ type: "req", id: "a", method: "agent", params: { message: "hi", idempotencyKey: "over-the-move" } });
  await client.wait(({ id }) => id === "a");
  await until(() => held.length === 2, 10_000);

  const next = await freePort();
  const answer = await patch(client, `{ gateway: { port: ${next} } }`);
  assert.partialDeepStrictEqual(answer, { applied: "listener", restartPaths: [], restart: { ok: false } });
  for (const one of [client, watcher]) {
    const { payload } = await one.wait(({ event }) => event === "shutdown");
    assert.deepEqual(payload, { reason: "listener restarting", restartExpectedMs: 100 });
    assert.equal((await one.closed).code, 1012);
  }
  await assert.rejects(openRawClient(port, gateway.token));
  port = next;

  const again = await connect();
  // both turns are the ones that were there; health may be a moment old
  const running = async () => (await again.request("health")).payload?.["queue"] as { running: number };
  await until(async () => (await running()).running === 2, 5_000);
  held.splice(0).forEach((give) => give());
  await until(() => sent().includes('re "hello"'), 5_000);
  const ended = await again.request("agent.wait", { runId: "over-the-move", timeoutMs: 5_000 });
  assert.equal(ended.payload?.["status"], "ok");
  assert.equal(model.calls.length, 2, "nothing was asked again");
  assert.deepEqual([gateway.pid(), logins()], [pid, logged]);
  assert.doesNotMatch(gateway.output(), /restarting|resuming/u);
  again.close();
});

test("a port that somebody else has: the old one stays, log and health say why, and a mended file is taken up", async () => {
  const stranger = createServer();
  await new Promise<void>((resolve) => {
    stranger.listen(0, "127.0.0.1", resolve);
  });
  const address = stranger.address();
  const taken = typeof address === "object" && address ? address.port : 0;
  const client = await connect();
  const answer = await patch(client, `{ gateway: { port: ${taken} } }`);
  assert.partialDeepStrictEqual(answer, { applied: "hot", restartPaths: ["gateway.port"] });
  assert.equal((await client.request("health")).ok, true, "the same connection");
  const problems = async () => JSON.stringify((await client.request("health", { probe: true })).payload?.["problems"]);
  assert.match(await problems(), new RegExp(`listens where it did: port ${taken} is in use`, "u"));
  assert.match(await problems(), /not in use: gateway\.port/u);
  assert.match(gateway.output(), /the listener could not be opened anew; the one before goes on/u);

  await patch(client, `{ gateway: { port: ${port} } }`);
  await until(async () => (await problems()) === "[]", 5_000);
  await new Promise((resolve) => {
    stranger.close(resolve);
  });
  client.close();
});

test("another address, from a file that was saved by hand", { skip: process.platform !== "linux" }, async () => {
  const client = await connect();
  const text = JSON.parse(await readFile(file(), "utf8")) as { gateway: object };
  await writeFile(
    file(),
    JSON.stringify({ ...text, gateway: { ...text.gateway, bind: "custom", customBindHost: "127.0.0.2" } }),
  );
  assert.equal((await client.closed).code, 1012);
  await assert.rejects(openRawClient(port, gateway.token), "127.0.0.1 is left");
  await until(() => gateway.output().includes(`ws://127.0.0.2:${port}`), 5_000);
  assert.equal((await gateway.cli("health")).code, 0, "the command line finds it there");
  assert.doesNotMatch(gateway.output(), /restarting/u);
  assert.equal(await gateway.stop("SIGTERM"), 0);
});
