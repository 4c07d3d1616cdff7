// The whole trip against real peers: a local Bot API server, grammY, a local model API, the published client.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { LLMock } from "@copilotkit/aimock";
import { startTelegramServer, type StartedTelegramServer } from "@openclaw/crabline";
import { GatewayClient } from "@openclaw/gateway-client";

import { mockProvider, startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { until } from "../kit/conversation.ts";
import { openRawClient } from "../kit/raw-client.ts";

const model = new LLMock({ port: 0 });
let telegram: StartedTelegramServer;
let gateway: GatewayProcess;
const sent: { chatId: string; text: string }[] = [];

before(async () => {
  // the first fixture that fits wins: after the tool has run, the question is still the last thing the person said
  model.onToolResult("call_time", { content: "The tool told me the time. **Done.**" });
  model.onMessage(/^what is the time/u, { toolCalls: [{ name: "session_status", arguments: "{}", id: "call_time" }] });
  model.onMessage(/hello/u, { content: "Hello back, with *style*." });
  await model.start();

  telegram = await startTelegramServer({
    botUsername: "gateway_test_bot",
    recorderPath: `${process.env["TMPDIR"] ?? "/tmp"}/crabline-${randomUUID()}.jsonl`,
    onEvent(event) {
      if (!event.path.endsWith("/sendMessage")) return;
      const body = event.body as { chat_id: number | string; text: string };
      sent.push({ chatId: String(body.chat_id), text: body.text });
    },
  });
  const { botToken, endpoints } = telegram.manifest;
  gateway = await startGatewayProcess({
    config: {
      agents: { defaults: { model: "mock/test-model" } },
      models: { providers: mockProvider(`${model.url}/v1`) },
      channels: { telegram: { botToken, apiRoot: endpoints.apiRoot, dmPolicy: "pairing", allowFrom: [1001] } },
    },
  });
});
after(async () => {
  await gateway?.dispose();
  await telegram?.close();
  await model.stop();
});

async function say(chatId: number, text: string): Promise<void> {
  const { endpoints, adminToken } = telegram.manifest as unknown as {
    endpoints: { adminInboundUrl: string };
    adminToken: string;
  };
  const response = await fetch(endpoints.adminInboundUrl, {
    method: "POST",
    headers: { "content-type": "application/json", "x-crabline-admin-token": adminToken },
    body: JSON.stringify({ chatId, fromId: chatId, text, fromName: "Test" }),
  });
  assert.equal(response.status, 200, await response.text());
}

test("a message is answered by the model, formatted for Telegram (RB-01, OV-01, OV-02, OV-05, VG-01)", async () => {
  await say(1001, "hello there");
  await until(() => sent.length === 1, 15_000);
  assert.equal(sent[0]?.chatId, "1001");
  assert.equal(sent[0]?.text, "Hello back, with <i>style</i>.");
});

test("a turn with a tool call streams to the published client, which sees it begin, call and end", async () => {
  const events: { event: string; payload?: unknown }[] = [];
  const hello = Promise.withResolvers<unknown>();
  const client = new GatewayClient({
    url: `ws://127.0.0.1:${gateway.port}`,
    token: gateway.token,
    clientName: "gateway-client",
    mode: "backend",
    deviceIdentity: null,
    scopes: ["operator.admin"],
    onEvent: (event) => events.push(event),
    onHelloOk: (payload: unknown) => hello.resolve(payload),
    onConnectError: (error: Error) => hello.reject(error),
  });
  client.start();
  try {
    const payload = (await hello.promise) as { type: string; protocol: number };
    assert.equal(payload.type, "hello-ok");
    assert.equal(payload.protocol, 4);

    await say(1001, "what is the time?");
    const chat = () =>
      events.filter(({ event }) => event === "chat").map((event) => event.payload as { state: string });
    await until(() => chat().some(({ state }) => state === "final"), 15_000);
    const agent = events
      .filter(({ event }) => event === "agent")
      .map((event) => event.payload as { stream: string; seq: number; data: Record<string, unknown> });
    assert.deepEqual(
      agent.map(({ seq }) => seq),
      agent.map((_, index) => index + 1),
    );
    assert.ok(
      agent.some(
        ({ stream, data }) => stream === "tool" && data["phase"] === "start" && data["name"] === "session_status",
      ),
    );
    assert.ok(
      agent.some(({ stream, data }) => stream === "tool" && data["phase"] === "result" && data["isError"] === false),
    );
    assert.ok(agent.some(({ stream }) => stream === "assistant"));
    assert.equal(agent.at(-1)?.data["phase"], "end");

    await until(() => sent.length === 2, 15_000);
    assert.equal(sent[1]?.text, "The tool told me the time. <b>Done.</b>");
    const answer = await client.request<{ status: string; result: { payloads: { text: string }[] } }>(
      "agent",
      { message: "hello again", idempotencyKey: randomUUID() },
      { expectFinal: true },
    );
    assert.equal(answer.status, "ok");
    assert.match(answer.result.payloads[0]?.text ?? "", /Hello back/u);
  } finally {
    await client.stopAndWait();
  }
});

test("a stranger gets a code; the CLI approves it; the next message is answered", async () => {
  const before_ = sent.length;
  await say(2002, "hello from a stranger");
  await until(() => sent.length === before_ + 1, 15_000);
  const listed = await gateway.cli("pairing", "list", "telegram", "--json");
  const { requests } = JSON.parse(listed.stdout) as { requests: { code: string; senderId: string }[] };
  assert.equal(requests[0]?.senderId, "2002");
  const code = requests[0]?.code ?? "";
  assert.ok(sent.at(-1)?.text.includes(code));

  const wrong = await gateway.cli("pairing", "approve", "telegram", "WRONGONE");
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /no pending telegram request/u);

  const approved = await gateway.cli("pairing", "approve", "telegram", code, "--notify");
  assert.equal(approved.code, 0, approved.stderr);
  await until(() => sent.length === before_ + 2, 15_000);
  assert.match(sent.at(-1)?.text ?? "", /approved/u);

  await say(2002, "hello now");
  await until(() => sent.length === before_ + 3, 15_000);
  assert.match(sent.at(-1)?.text ?? "", /Hello back/u);
});

test("message send goes through the running Gateway and health shows the channel (RB-67, RB-138)", async () => {
  const before_ = sent.length;
  const result = await gateway.cli("message", "send", "--target", "1001", "--message", "from the **CLI**", "--json");
  assert.equal(result.code, 0, result.stderr);
  assert.equal(sent.at(before_)?.text, "from the <b>CLI</b>");
  const health = JSON.parse((await gateway.cli("health", "--json")).stdout) as {
    ok: boolean;
    linkChannel: { id: string; linked: boolean };
    channels: Record<string, { connected: boolean; username: string }>;
  };
  assert.equal(health.ok, true);
  assert.deepEqual([health.linkChannel.id, health.linkChannel.linked], ["telegram", true]);
  assert.equal(health.channels["telegram"]?.username, "gateway_test_bot");
});

test("neither the bot token nor the Gateway's token reaches the log", async () => {
  const client = await openRawClient(gateway.port, gateway.token);
  await client.connect();
  const { payload } = await client.request("logs.tail", { limit: 1000 });
  client.close();
  const file = await readFile(String(payload?.["file"]), "utf8");
  for (const text of [file, gateway.output()]) {
    assert.ok(!text.includes(telegram.manifest.botToken));
    assert.ok(!text.includes(gateway.token));
  }
});

test("SIGTERM announces the shutdown, closes with 1012 and exits 0 (RB-22, RB-136)", async () => {
  const client = await openRawClient(gateway.port, gateway.token);
  await client.connect();
  const stopped = gateway.stop("SIGTERM");
  const shutdown = await client.wait((frame) => frame.event === "shutdown");
  assert.equal(shutdown.payload?.["reason"], "gateway stopping");
  assert.equal((await client.closed).code, 1012);
  assert.equal(await stopped, 0);
});
