// An event reaches the agent with its next turn, or at once.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { mockProvider, startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { startModelServer, type ModelServer } from "../kit/model-server.ts";

let gateway: GatewayProcess;
let models: ModelServer;
/** What the model was last asked, as text. */
const lastAsked = () => JSON.stringify(models.calls.at(-1)?.messages.findLast(({ role }) => role === "user")?.content);

before(async () => {
  models = await startModelServer(() => "noted");
  gateway = await startGatewayProcess({
    config: {
      agents: { defaults: { model: "mock/m" } },
      models: {
        providers: mockProvider(models.baseUrl),
      },
    },
  });
});
after(async () => {
  await gateway?.dispose();
  await models?.close();
});

test("an event waits for the next turn, also through a kill, is seen once, and shows in status meanwhile", async () => {
  const told = await gateway.cli("system", "event", "--text", "the washing machine is done");
  assert.deepEqual([told.code, told.stderr], [0, ""]);
  await gateway.stop("SIGKILL");
  await gateway.start();
  const { stdout } = await gateway.cli("status", "--json");
  assert.deepEqual((JSON.parse(stdout) as { queuedSystemEvents: string[] }).queuedSystemEvents, [
    "the washing machine is done",
  ]);
  await gateway.cli("agent", "--message", "hello");
  assert.match(lastAsked(), /\[Events since[^\]]*\].*washing machine is done.*\[End of events\].*hello/u);
  await gateway.cli("agent", "--message", "again");
  assert.doesNotMatch(lastAsked(), /washing machine/u);
});

test("`now` has the agent look at once", async () => {
  const count = models.calls.length;
  assert.equal((await gateway.cli("system", "event", "--mode", "now", "--text", "smoke in the kitchen")).code, 0);
  await until(() => models.calls.length > count, 10_000);
  assert.match(lastAsked(), /smoke in the kitchen/u);
});

test("who is connected, and what is wrong with a wrong call", async () => {
  const { stdout, code } = await gateway.cli("system", "presence");
  assert.equal(code, 0);
  assert.match(stdout, /HOST +MODE/u);
  assert.equal((await gateway.cli("system", "event")).code, 2);
  assert.equal((await gateway.cli("system", "event", "--text", "x", "--mode", "never")).code, 2);
});
