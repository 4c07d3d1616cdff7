// The figures of a real Gateway: they move with a message from Telegram through a model and back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { until } from "../kit/conversation.ts";
import { createGatewayProcess, mockProvider } from "../kit/gateway-process.ts";
import { startModelServer } from "../kit/model-server.ts";
import { parsePage } from "../kit/prometheus.ts";
import { openRawClient } from "../kit/raw-client.ts";
import { startFakeTelegram } from "../kit/telegram-server.ts";

test("what a message goes through is counted, for whoever shows the secret", async (context) => {
  const telegram = await startFakeTelegram();
  context.after(() => telegram.close());
  const model = await startModelServer(() => "Hello back.");
  context.after(() => model.close());
  const gateway = await createGatewayProcess({
    config: {
      agents: { defaults: { model: "mock/test-model" } },
      models: { providers: mockProvider(model.baseUrl) },
      channels: {
        telegram: { botToken: telegram.token, apiRoot: telegram.apiRoot, dmPolicy: "allowlist", allowFrom: [7] },
      },
    },
  });
  context.after(() => gateway.dispose());
  await gateway.start();
  const url = `http://127.0.0.1:${gateway.port}/metrics`;
  const read = async () => {
    const response = await fetch(url, { headers: { authorization: `Bearer ${gateway.token}` } });
    assert.equal(response.status, 200);
    return parsePage(await response.text());
  };
  assert.equal((await fetch(url)).status, 401);
  const account = { channel: "telegram", account: "default" };
  await until(async () => (await read()).sum("gateway_channel_up", account) === 1, 10_000);
  const before = await read();
  assert.equal(before.sum("gateway_model_calls_total"), 0);

  telegram.addMessage({ chatId: 7, text: "hello" });
  await until(() => telegram.calls.some(({ method }) => method === "sendMessage"), 10_000);
  const client = await openRawClient(gateway.port, gateway.token);
  assert.equal((await client.connect()).ok, true);
  await client.request("health");
  await client.request("no.such.method");
  await until(async () => (await read()).sum("gateway_sends_total", { outcome: "sent" }) === 1);

  const page = await read();
  const labels = { method: "health", outcome: "ok" };
  assert.equal(page.sum("gateway_requests_total", labels), 1);
  assert.equal(page.sum("gateway_requests_total", { method: "unknown", outcome: "unknown_method" }), 1);
  assert.equal(page.sum("gateway_request_seconds_count", { method: "health" }), 1);
  assert.equal(page.sum("gateway_connections", { role: "operator" }), 1);
  assert.equal(page.sum("gateway_http_requests_total", { route: "metrics", status: "401" }), 1);
  assert.ok(page.sum("gateway_http_requests_total", { route: "metrics", status: "200" }) >= 3);
  assert.equal(page.sum("gateway_model_calls_total", { provider: "mock", outcome: "ok" }), 1);
  assert.equal(page.sum("gateway_model_call_seconds_count", { provider: "mock" }), 1);
  assert.equal(page.sum("gateway_turns_total", { outcome: "end" }), 1);
  assert.deepEqual([page.sum("gateway_turns"), page.sum("gateway_outbox")], [0, 0]);
  assert.ok(
    page.sum("gateway_database_write_seconds_count") > before.sum("gateway_database_write_seconds_count"),
    "writes are counted",
  );
  assert.ok(page.sum("process_resident_memory_bytes") > 10e6);
  const age = page.samples.find(({ name }) => name === "gateway_channel_poll_age_seconds");
  assert.ok(age && age.value >= 0 && age.value < 45, String(age?.value));
  client.close();
  await until(async () => (await read()).sum("gateway_connections") === 0);
});
