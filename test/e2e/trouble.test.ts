// When the peers misbehave: what the person is told, and what the owner sees.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { mockProvider, startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { until } from "../kit/conversation.ts";
import { startModelServer, type ModelServer } from "../kit/model-server.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

let telegram: FakeTelegram;
let gateway: GatewayProcess;
let models: ModelServer;
/** What each model of the local API answers; anything but text is an HTTP status. */
const answers: Record<string, string | number> = { first: 429, second: "from the second" };

before(async () => {
  telegram = await startFakeTelegram();
  models = await startModelServer(({ model }) => answers[model] ?? 404);
  gateway = await startGatewayProcess({
    config: {
      agents: { defaults: { model: { primary: "mock/first", fallbacks: ["mock/second"] } } },
      models: {
        providers: mockProvider(models.baseUrl),
      },
      channels: { telegram: { botToken: telegram.token, apiRoot: telegram.apiRoot, allowFrom: [1001] } },
    },
  });
});
after(async () => {
  await gateway?.dispose();
  await telegram?.close();
  await models?.close();
});

const sent = () =>
  telegram.calls.filter(({ method }) => method === "sendMessage").map(({ body }) => String(body["text"]));
const problem = async () => {
  const { stdout } = await gateway.cli("health", "--json");
  const { channels } = JSON.parse(stdout) as { channels: Record<string, { lastError?: string; connected?: boolean }> };
  return channels["telegram"];
};
const untilTold = async (pattern: RegExp) => {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    const text = JSON.stringify(await problem());
    if (pattern.test(text)) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  assert.fail(`health never showed ${pattern}: ${JSON.stringify(await problem())}`);
};

test("when the first model refuses, the next one answers", async () => {
  telegram.addMessage({ chatId: 1001, text: "hello" });
  await until(() => sent().length === 1, 15_000);
  assert.deepEqual(sent(), ["from the second"]);
  const asked = models.calls.map(({ model }) => model);
  assert.ok(asked.includes("first") && asked.at(-1) === "second");
});

test("when all models fail, the sender gets one honest message without the provider's words", async () => {
  answers["second"] = 401;
  telegram.addMessage({ chatId: 1001, text: "and now?" });
  await until(() => sent().length === 2, 30_000);
  // a second notice would come at once
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal(sent().length, 2);
  assert.doesNotMatch(sent()[1] ?? "", /secret detail|test-key/u);
  assert.match(sent()[1] ?? "", /model|answer/iu);
});

test("a message sent by hand answers in its topic, and twice the same key is one message", async () => {
  const args = ["message", "send", "--target", "-1005", "--message", "**hi**", "--reply-to", "9", "--thread-id", "4"];
  const { code, stderr } = await gateway.cli(...args);
  assert.deepEqual([code, stderr], [0, ""]);
  const body = telegram.calls.findLast(({ method }) => method === "sendMessage")?.body ?? {};
  assert.deepEqual([body["chat_id"], body["text"], body["message_thread_id"]], ["-1005", "<b>hi</b>", 4]);
  assert.deepEqual(body["reply_parameters"], { message_id: 9, allow_sending_without_reply: true });
  const request = (message: string) =>
    JSON.stringify({ action: "send", params: { to: "-1005", message }, idempotencyKey: "once" });
  const count = sent().length;
  const first = await gateway.cli("gateway", "call", "message.action", "--params", request("x"));
  const again = await gateway.cli("gateway", "call", "message.action", "--params", request("x"));
  assert.deepEqual([first.code, again.stdout], [0, first.stdout]);
  assert.equal(sent().length, count + 1);
  assert.equal((await gateway.cli("gateway", "call", "message.action", "--params", request("y"))).code, 1);
});

test("another program on the bot's token, then a refused token, show in health with what to do; then all is well", async () => {
  telegram.react = ({ method }) =>
    method === "getUpdates"
      ? { error: { error_code: 409, description: "Conflict: terminated by other getUpdates request" } }
      : undefined;
  await untilTold(/another program polls/u);
  telegram.react = () => undefined;
  await untilTold(/"connected":true/u);
  telegram.react = ({ method }) =>
    method === "getUpdates" ? { error: { error_code: 401, description: "Unauthorized" } } : undefined;
  await untilTold(/refuses the bot token.*BotFather/u);
});
