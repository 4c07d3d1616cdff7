// Runs as clients of the protocol see them: two answers, one effect for a key, stopping, running out of time, a restart between.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import { after, before, test } from "node:test";

import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient, type Frame, type RawClient } from "../kit/raw-client.ts";

let gateway: GatewayProcess;
let client: RawClient;
let silent: Server;

before(async () => {
  // a model that takes the question and never answers
  silent = createServer((request) => request.resume());
  await new Promise<void>((resolve) => {
    silent.listen(0, "127.0.0.1", resolve);
  });
  const address = silent.address();
  const port = typeof address === "object" && address ? address.port : 0;
  gateway = await startGatewayProcess({
    config: {
      agents: { defaults: { model: "offline/demo" } },
      models: { providers: { silent: { baseUrl: `http://127.0.0.1:${port}/v1` } } },
    },
  });
  client = await openRawClient(gateway.port, gateway.token);
  await client.connect();
});
after(async () => {
  client.close();
  await gateway.dispose();
  silent.closeAllConnections();
  silent.close();
});

const messagesOf = (frame: Frame) => (frame.payload?.["messages"] ?? []) as unknown[];
const final = (of: RawClient, id: string) =>
  of.wait((frame) => frame.type === "res" && frame.id === id && frame.payload?.["status"] !== "accepted", 15_000);

test("a run is acknowledged at once and answered later, on the same id; asking again changes nothing (RB-62, RB-93)", async () => {
  const key = randomUUID();
  const ask = (id: string, message = "hello") => client.request("agent", { message, idempotencyKey: key }, id);
  const accepted = await ask("a1");
  assert.deepEqual([accepted.payload?.["runId"], accepted.payload?.["status"]], [key, "accepted"]);
  const first = await final(client, "a1");
  assert.equal(first.payload?.["status"], "ok");
  await ask("a2");
  assert.deepEqual((await final(client, "a2")).payload, first.payload);
  const history = await client.request("chat.history", { sessionKey: "main" });
  assert.equal(messagesOf(history).length, 2);

  const other = await ask("a3", "something else");
  assert.equal(other.error?.code, "INVALID_REQUEST");
  assert.equal(other.error?.details?.["reason"], "key_reused");
});

test("fifty clients with one key at once: one effect, equal answers", async () => {
  const key = randomUUID();
  const clients = await Promise.all(Array.from({ length: 50 }, () => openRawClient(gateway.port, gateway.token)));
  await Promise.all(clients.map((one) => one.connect()));
  const params = { message: "hello", sessionKey: "fifty", idempotencyKey: key };
  const answers = await Promise.all(
    clients.map(async (one) => {
      await one.request("agent", params, "x");
      return (await final(one, "x")).payload;
    }),
  );
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  const history = await client.request("chat.history", { sessionKey: "fifty" });
  assert.equal(messagesOf(history).length, 2);
  for (const one of clients) one.close();
});

test("the answer of a run outlives the process", async () => {
  const key = randomUUID();
  const params = { message: "hello", sessionKey: "restart", idempotencyKey: key };
  await client.request("agent", params, "b1");
  const before_ = await final(client, "b1");
  await gateway.stop("SIGKILL");
  await gateway.start();
  client = await openRawClient(gateway.port, gateway.token);
  await client.connect();
  await client.request("agent", params, "b2");
  assert.deepEqual((await final(client, "b2")).payload, before_.payload);
  assert.equal((await client.request("agent.wait", { runId: key })).payload?.["status"], "ok");
});

test("a run that exceeds its time is AGENT_TIMEOUT, with payload and error both (RB-89)", async () => {
  await gateway.stop("SIGTERM");
  const { writeFile } = await import("node:fs/promises");
  const address = silent.address();
  const port = typeof address === "object" && address ? address.port : 0;
  await writeFile(
    `${gateway.folder}/state/openclaw.json`,
    JSON.stringify({
      gateway: { mode: "local" },
      agents: { defaults: { model: "silent/m" } },
      models: { providers: { silent: { baseUrl: `http://127.0.0.1:${port}/v1` } } },
    }),
  );
  await gateway.start();
  client = await openRawClient(gateway.port, gateway.token);
  await client.connect();
  const key = randomUUID();
  await client.request("agent", { message: "x", timeout: 1, idempotencyKey: key }, "t1");
  const answer = await final(client, "t1");
  assert.equal(answer.ok, false);
  assert.equal(answer.error?.code, "AGENT_TIMEOUT");
  assert.equal(answer.payload?.["status"], "error");
  assert.equal((await client.request("agent.wait", { runId: key })).payload?.["status"], "error");
});

test("chat.abort stops what runs and what waits; each ends with one aborted event (RB-78)", async () => {
  const keys = [randomUUID(), randomUUID()];
  for (const key of keys) {
    const started = await client.request("chat.send", { sessionKey: "abort", message: "x", idempotencyKey: key });
    assert.equal(started.payload?.["status"], "started");
  }
  await client.wait((frame) => frame.event === "agent" && frame.payload?.["runId"] === keys[0]);
  const repeated = await client.request("chat.send", { sessionKey: "abort", message: "x", idempotencyKey: keys[0] });
  assert.equal(repeated.payload?.["status"], "in_flight");
  const waited = await client.request("agent.wait", { runId: keys[0], timeoutMs: 50 });
  assert.equal(waited.payload?.["status"], "timeout");

  const aborted = await client.request("chat.abort", { sessionKey: "abort" });
  assert.deepEqual(aborted.payload, { ok: true, aborted: true, runIds: keys });
  for (const key of keys) {
    const ended = (frame: { event?: string; payload?: Record<string, unknown> }) =>
      frame.event === "chat" && frame.payload?.["runId"] === key && frame.payload["state"] !== "delta";
    assert.equal((await client.wait(ended)).payload?.["state"], "aborted");
    assert.equal(client.frames.filter(ended).length, 1);
  }
});

test("send without a channel that is set up is NOT_LINKED (RB-88)", async () => {
  for (const params of [{}, { channel: "whatsapp" }]) {
    const answer = await client.request("send", { to: "1", message: "x", idempotencyKey: randomUUID(), ...params });
    assert.equal(answer.error?.code, "NOT_LINKED");
  }
});
