// What the runbook says of the protocol, row by row, over bare WebSockets against a real Gateway with Telegram and the offline model.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { hostname, networkInterfaces } from "node:os";
import { after, before, test } from "node:test";

import { createTestDevice } from "../kit/device.ts";
import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { connectParams, openRawClient, type Frame, type RawClient } from "../kit/raw-client.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

let telegram: FakeTelegram;
let gateway: GatewayProcess;
const clients: RawClient[] = [];
before(async () => {
  telegram = await startFakeTelegram();
  const account = { botToken: telegram.token, apiRoot: telegram.apiRoot, allowFrom: [1] };
  gateway = await startGatewayProcess({ config: { channels: { telegram: account } } });
});
after(async () => {
  for (const client of clients) client.close();
  await gateway?.dispose();
  await telegram?.close();
});

async function open(): Promise<RawClient> {
  const client = await openRawClient(gateway.port, gateway.token);
  clients.push(client);
  return client;
}

async function enter(params: object = {}): Promise<{ client: RawClient; hello: Record<string, unknown> }> {
  const client = await open();
  const { ok, payload, error } = await client.connect(params);
  assert.equal(ok, true, JSON.stringify(error));
  return { client, hello: payload ?? {} };
}

interface Row {
  readonly host: string;
  readonly mode: string;
  readonly ts: number;
  readonly instanceId?: string;
  readonly [key: string]: unknown;
}
const rowsOf = (frame: Frame) => (frame.payload?.["presence"] ?? []) as Row[];
const final = (client: RawClient, id: string) =>
  client.wait(({ type, id: of, payload }) => type === "res" && of === id && payload?.["status"] !== "accepted", 15_000);

const desk = {
  id: "control-panel",
  displayName: "desk",
  version: "1.2.3",
  platform: "darwin",
  deviceFamily: "Mac",
  modelIdentifier: "Mac15,3",
  mode: "ui",
  instanceId: "desk-1",
};

test("connect goes first, with everything that it may say of the client, and gets hello-ok (RB-57, RB-58, RB-131, OV-26, OV-41)", async () => {
  const { client, hello } = await enter({
    minProtocol: 3,
    maxProtocol: 7,
    client: desk,
    caps: ["tool-events"],
    locale: "vi-VN",
    userAgent: "desk/1.2.3",
  });
  assert.equal(new URL(client.socket.url).pathname, "/");
  assert.equal(hello["type"], "hello-ok");
  assert.ok(hello["snapshot"]);
});

test("what is optional in connect may be left out, and may be of any words (RB-57, RB-144)", async () => {
  const { hello } = await enter({ client: { id: "cli-abc123", version: "1", platform: "plan9", mode: "operator" } });
  assert.equal(hello["type"], "hello-ok");
});

test("a refused connect is answered with its error, then closed (RB-58)", async () => {
  const client = await open();
  const answer = await client.connect({ auth: { token: "wrong" } });
  assert.deepEqual([answer.type, answer.ok, answer.payload], ["res", false, undefined]);
  assert.ok(answer.error?.message);
  assert.equal((await client.closed).code, 1008);
});

test("a first frame that is no connect, and what is not JSON, end the connection (RB-135, RB-144)", async () => {
  const early = await open();
  const answer = await early.request("health");
  assert.equal(answer.ok, false);
  assert.equal(answer.error?.code, "INVALID_REQUEST");
  assert.equal((await early.closed).code, 1008);

  const garbled = await open();
  garbled.send("{ not json");
  await garbled.closed;
  assert.deepEqual(
    garbled.frames.map(({ event }) => event),
    ["connect.challenge"],
    "what has no id gets no answer",
  );
});

test("a request is answered on its id with payload or error, in exactly these keys (RB-59, OV-34)", async () => {
  const { client } = await enter();
  const good = await client.request("system-presence", {}, "r-1");
  assert.deepEqual(Object.keys(good), ["type", "id", "ok", "payload"]);
  const bad = await client.request("no.such.method", {}, "r-2");
  assert.deepEqual(Object.keys(bad), ["type", "id", "ok", "error"]);
  assert.deepEqual([good.id, good.ok, bad.id, bad.ok], ["r-1", true, "r-2", false]);
});

test("an event has a name and a payload, a number when it is for all, and a version where it carries state (RB-60, OV-34)", async () => {
  const { client } = await enter();
  const challenge = await client.wait(({ event }) => event === "connect.challenge");
  assert.deepEqual(Object.keys(challenge), ["type", "event", "payload"]);
  const presence = await client.wait(({ event }) => event === "presence");
  assert.deepEqual(Object.keys(presence), ["type", "event", "payload", "seq", "stateVersion"]);
  await client.request("agent", { message: "hello", idempotencyKey: randomUUID() }, "a");
  await final(client, "a");
  const numbers = client.frames.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
  assert.ok(numbers.length > 3);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  );
});

test("presence tells of each client what it said of itself, by its instanceId (RB-61)", async () => {
  const { client } = await enter({ client: { ...desk, instanceId: "desk-61" } });
  const text = "Node: attic (10.0.0.9) · app 2.0.0 · last input 12s ago · mode node · reason periodic";
  await client.request("system-event", { text, instanceId: "attic", tags: ["x"], platform: "linux" });
  const rows = (await client.request("system-presence")).payload as unknown as Row[];
  const { host, version, platform, deviceFamily, modelIdentifier, mode, ts, reason } =
    rows.find(({ instanceId }) => instanceId === "desk-61") ?? assert.fail("no row");
  assert.deepEqual(
    { host, version, platform, deviceFamily, modelIdentifier, mode, reason },
    {
      host: "desk",
      version: "1.2.3",
      platform: "darwin",
      deviceFamily: "Mac",
      modelIdentifier: "Mac15,3",
      mode: "ui",
      reason: "connect",
    },
  );
  assert.ok(Math.abs(Date.now() - ts) < 60_000);
  assert.partialDeepStrictEqual(
    rows.find(({ instanceId }) => instanceId === "attic"),
    {
      host: "attic",
      ip: "10.0.0.9",
      version: "2.0.0",
      platform: "linux",
      mode: "node",
      reason: "periodic",
      lastInputSeconds: 12,
      tags: ["x"],
    },
  );
});

test("agent answers twice on one id, and streams its run as numbered events meanwhile (RB-62, RB-68, RB-74, OV-35)", async () => {
  const { client } = await enter();
  const runId = randomUUID();
  const accepted = await client.request("agent", { message: "status", idempotencyKey: runId }, "two");
  assert.partialDeepStrictEqual(accepted, { ok: true, payload: { runId, status: "accepted" } });
  const done = await final(client, "two");
  assert.partialDeepStrictEqual(done, { ok: true, payload: { runId, status: "ok", summary: "completed" } });

  const between = client.frames.slice(client.frames.indexOf(accepted), client.frames.indexOf(done));
  const events = between.filter(({ event, payload }) => event === "agent" && payload?.["runId"] === runId);
  const streams = new Set(events.map(({ payload }) => payload?.["stream"]));
  for (const stream of ["lifecycle", "assistant"]) assert.ok(streams.has(stream), stream);
  assert.deepEqual(
    events.map(({ payload }) => payload?.["seq"]),
    events.map((_, index) => index + 1),
  );
});

test("health is what the command line prints, and says whether people can be reached (RB-63, RB-86, RB-101, OV-42)", async () => {
  const { client } = await enter();
  await until(async () => {
    const { payload } = await client.request("health", { probe: true });
    return (payload?.["linkChannel"] as { linked?: boolean } | undefined)?.linked === true;
  });
  const { payload } = await client.request("health");
  assert.partialDeepStrictEqual(payload, { ok: true, linkChannel: { id: "telegram", linked: true } });
  for (const args of [["health"], ["gateway", "health"]]) {
    const { code, stdout } = await gateway.cli(...args, "--json");
    assert.equal(code, 0);
    assert.deepEqual(Object.keys(JSON.parse(stdout) as object), Object.keys(payload ?? {}));
  }
});

test("status is short: the link, what waits, what failed, who talked last (RB-64, RB-132, OV-45)", async () => {
  const { client } = await enter();
  const { payload } = await client.request("status");
  assert.partialDeepStrictEqual(payload, {
    linkChannel: { id: "telegram", linked: true },
    queue: { queued: 0, running: 0, outboxPending: 0 },
    errors: { failedTurns: 0, failedSends: 0, unknownSends: 0, dropped: {} },
  });
  assert.deepEqual(Object.keys(payload?.["linkChannel"] ?? {}), ["id", "label", "linked", "authAgeMs"]);
  const text = (await gateway.cli("status")).stdout;
  assert.match(text, /telegram/iu);
  assert.match(text, /queue/iu);
});

test("system-presence lists the Gateway itself and whoever is connected (RB-65, RB-86, RB-132)", async () => {
  const { client } = await enter({ client: { ...desk, instanceId: "desk-65" } });
  const rows = (await client.request("system-presence")).payload as unknown as Row[];
  const self = rows.find(({ mode }) => mode === "gateway");
  assert.partialDeepStrictEqual(self, { reason: "self", host: hostname() });
  assert.match(String(self?.["version"]), /^\d+\.\d+\.\d+/u);
  const outside = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal);
  if (outside.length > 0) assert.ok(outside.some(({ address }) => address === self?.["ip"]));
  assert.ok(rows.some(({ instanceId }) => instanceId === "desk-65"));
});

test("system-event notes something: all see it among those present, and the agent with its next turn (RB-66)", async () => {
  const { client } = await enter();
  const { client: other } = await enter();
  const text = "Node: cellar (10.0.0.7) · app 3.1.0 · mode node · reason launch";
  assert.deepEqual((await client.request("system-event", { text, instanceId: "cellar" })).payload, { ok: true });
  const told = await other.wait((frame) => rowsOf(frame).some(({ instanceId }) => instanceId === "cellar"));
  assert.partialDeepStrictEqual(
    rowsOf(told).find(({ instanceId }) => instanceId === "cellar"),
    { host: "cellar" },
  );
  const { queuedSystemEvents } = (await client.request("status")).payload as { queuedSystemEvents: string[] };
  assert.ok(queuedSystemEvents.some((line) => line.includes("cellar")));
});

test("send goes out through the channel, and has an answer of its own (RB-67, RB-93, RB-138)", async () => {
  const { client } = await enter();
  const idempotencyKey = randomUUID();
  const sent = await client.request("send", { to: "1", message: "by hand", channel: "telegram", idempotencyKey });
  assert.equal(sent.ok, true, JSON.stringify(sent.error));
  assert.ok(sent.payload?.["messageId"]);
  const again = await client.request("send", { to: "1", message: "by hand", channel: "telegram", idempotencyKey });
  assert.deepEqual(again.payload, sent.payload);
  const texts = telegram.calls.filter(({ method, body }) => method === "sendMessage" && body["text"] === "by hand");
  assert.equal(texts.length, 1);
});

test("a node is listed and described, and does what it is asked (RB-69, RB-70, RB-71)", async () => {
  const device = createTestDevice();
  const node = await open();
  const { payload } = await node.wait(({ event }) => event === "connect.challenge");
  const params = connectParams(gateway.token, {
    role: "node",
    scopes: [],
    client: {
      id: "node-host",
      mode: "node",
      version: "1",
      platform: "darwin",
      deviceFamily: "Mac",
      modelIdentifier: "Mac14,2",
      displayName: "wall",
    },
    caps: ["canvas", "camera"],
    commands: ["canvas.present", "camera.snap"],
  });
  const signed = device.sign(params, payload as { nonce: string; ts: number });
  assert.equal((await node.request("connect", signed)).ok, true);
  node.socket.on("message", (data) => {
    const frame = JSON.parse(data.toString()) as Frame;
    if (frame.event !== "node.invoke.request") return;
    const { id, nodeId, command } = frame.payload as { id: string; nodeId: string; command: string };
    void node.request("node.invoke.result", { id, nodeId, ok: true, payload: { did: command } });
  });

  const { client } = await enter();
  const nodeId = device.id;
  const { nodes } = (await client.request("node.list")).payload as { nodes: { nodeId: string }[] };
  assert.partialDeepStrictEqual(
    nodes.find((it) => it.nodeId === nodeId),
    {
      caps: ["canvas", "camera"],
      deviceFamily: "Mac",
      modelIdentifier: "Mac14,2",
      commands: ["canvas.present", "camera.snap"],
      paired: true,
      connected: true,
    },
  );
  const described = await client.request("node.describe", { nodeId });
  assert.partialDeepStrictEqual(described.payload, { nodeId, commands: ["canvas.present", "camera.snap"] });
  for (const command of ["canvas.present", "camera.snap"]) {
    const done = await client.request("node.invoke", { nodeId, command, params: {}, idempotencyKey: randomUUID() });
    assert.partialDeepStrictEqual(done, { ok: true, payload: { payload: { did: command } } });
  }
});

test("a node pairs by request, list, approve, reject and verify (RB-72)", async () => {
  const { client } = await enter();
  const ask = async () => {
    const { payload } = await client.request("node.pair.request", { nodeId: "shed", displayName: "Shed" });
    return (payload as { request: { requestId: string } }).request.requestId;
  };
  const first = await ask();
  const { pending } = (await client.request("node.pair.list")).payload as { pending: { requestId: string }[] };
  assert.ok(pending.some(({ requestId }) => requestId === first));
  assert.equal((await client.request("node.pair.reject", { requestId: first })).ok, true);
  const approved = await client.request("node.pair.approve", { requestId: await ask() });
  const { token } = (approved.payload as { node: { token: string } }).node;
  assert.partialDeepStrictEqual(await client.request("node.pair.verify", { nodeId: "shed", token }), {
    payload: { ok: true },
  });
  assert.partialDeepStrictEqual(await client.request("node.pair.verify", { nodeId: "shed", token: `${token}x` }), {
    payload: { ok: false },
  });
});

test("an installation that comes twice is one row, by its instanceId (RB-73)", async () => {
  const { client } = await enter({ client: { ...desk, instanceId: "desk-73" } });
  await enter({ client: { ...desk, instanceId: "desk-73" } });
  const rows = (await client.request("system-presence")).payload as unknown as Row[];
  assert.equal(rows.filter(({ instanceId }) => instanceId === "desk-73").length, 1);
});

test("who comes and goes is told to everybody, with a version that rises (RB-75, OV-35, OV-43)", async () => {
  const { client } = await enter();
  const { client: guest } = await enter({ client: { ...desk, instanceId: "guest" } });
  const has = (frame: Frame, reason: string) =>
    frame.event === "presence" && rowsOf(frame).some((row) => row.instanceId === "guest" && row["reason"] === reason);
  const came = await client.wait((frame) => has(frame, "connect"));
  guest.close();
  const gone = await client.wait((frame) => has(frame, "disconnect"));
  const versionOf = (frame: Frame) => (frame as { stateVersion?: { presence: number } }).stateVersion?.presence ?? 0;
  assert.ok(versionOf(came) > 0 && versionOf(gone) > versionOf(came));
});

test("a chat client has history, send, abort and events (RB-78)", async () => {
  const { client } = await enter({ client: { ...desk, id: "webchat", mode: "webchat" } });
  const sessionKey = "agent:main:webchat-78";
  const key = randomUUID();
  const sent = await client.request("chat.send", { sessionKey, message: "hello", idempotencyKey: key });
  assert.partialDeepStrictEqual(sent, { ok: true, payload: { runId: key } });
  const said = await client.wait(
    ({ event, payload }) => event === "chat" && payload?.["runId"] === key && payload["state"] === "final",
    15_000,
  );
  assert.partialDeepStrictEqual(said.payload, { sessionKey });
  const history = await client.request("chat.history", { sessionKey });
  assert.deepEqual(
    ((history.payload?.["messages"] ?? []) as { role: string }[]).map(({ role }) => role),
    ["user", "assistant"],
  );
  assert.partialDeepStrictEqual(await client.request("chat.abort", { sessionKey }), { ok: true });
});

test("a client that draws from hello-ok needs no further request: who is there, health, versions, limits, sessions (RB-80, RB-84, OV-33)", async () => {
  await enter({ client: { ...desk, instanceId: "first" } });
  const { client, hello } = await enter({ client: { ...desk, instanceId: "second" } });
  const snapshot = hello["snapshot"] as {
    presence: Row[];
    health: { ok: boolean };
    stateVersion: { presence: number; health: number };
    uptimeMs: number;
    sessionDefaults: { mainSessionKey: string };
  };
  assert.ok(snapshot.presence.some(({ instanceId }) => instanceId === "first"));
  assert.equal(snapshot.health.ok, true);
  assert.ok(snapshot.stateVersion.presence > 0 && snapshot.stateVersion.health > 0 && snapshot.uptimeMs > 0);
  assert.equal(snapshot.sessionDefaults.mainSessionKey, "agent:main:main");
  const policy = hello["policy"] as Record<string, number>;
  assert.deepEqual(Object.keys(policy).toSorted(), ["maxBufferedBytes", "maxPayload", "tickIntervalMs"]);
  assert.ok(Object.values(policy).every((it) => it > 0));
  assert.ok(await client.wait((frame) => rowsOf(frame).some(({ instanceId }) => instanceId === "second")));
});

test("an error has a code, a message and, where they help, details and when to come again (RB-87, RB-90)", async () => {
  const { client } = await enter();
  const { error } = await client.request("chat.history", { sessionKey: 7 });
  assert.equal(error?.code, "INVALID_REQUEST");
  assert.match(error.message, /sessionKey/u);
  const known = new Set(["code", "message", "details", "retryable", "retryAfterMs"]);
  assert.ok(
    Object.keys(error).every((key) => known.has(key)),
    JSON.stringify(error),
  );
});

test("the methods of the runbook are there (OV-36)", async () => {
  const { hello } = await enter();
  const { methods, events } = hello["features"] as { methods: string[]; events: string[] };
  for (const name of [
    "health",
    "status",
    "agent",
    "send",
    "system-presence",
    "node.list",
    "node.pair.request",
    "node.invoke",
  ])
    assert.ok(methods.includes(name), name);
  for (const name of ["agent", "presence", "tick", "shutdown"]) assert.ok(events.includes(name), name);
});

test("before it ends it says so, and only then closes; a restart would say when it is back (RB-77, RB-136, OV-44)", async () => {
  const { client } = await enter();
  const ended = gateway.stop("SIGTERM");
  const told = await client.wait(({ event }) => event === "shutdown");
  assert.equal(typeof told.payload?.["reason"], "string");
  assert.equal((await client.closed).code, 1012);
  assert.equal(client.frames.at(-1), told, "nothing comes after it");
  assert.equal(await ended, 0);
});

async function until(isSo: () => Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !(await isSo());)
    assert.ok(Date.now() < end, "it did not come to that in time");
}
