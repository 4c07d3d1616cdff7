// Sessions as clients of the protocol see them: what each scope may do, who is told of what, and keys that outlive the process.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient, type Frame, type RawClient } from "../kit/raw-client.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

let gateway: GatewayProcess;
let telegram: FakeTelegram;
let admin: RawClient;
const clients: RawClient[] = [];

const sent = () => telegram.calls.filter(({ method }) => method === "sendMessage").length;
const sentTo = (chatId: string) =>
  telegram.calls.filter(({ method, body }) => method === "sendMessage" && String(body["chat_id"]) === chatId).length;

async function connect(scopes: readonly string[] = ["operator.admin"]): Promise<RawClient> {
  const client = await openRawClient(gateway.port, gateway.token);
  clients.push(client);
  const hello = await client.connect({ scopes });
  assert.equal(hello.ok, true);
  return client;
}
async function say(client: RawClient, sessionKey: string, message: string, extra: object = {}): Promise<void> {
  const runId = randomUUID();
  await client.request("chat.send", { sessionKey, message, idempotencyKey: runId, ...extra });
  await client.wait(
    (frame) => frame.event === "chat" && frame.payload?.["runId"] === runId && frame.payload["state"] === "final",
  );
}

before(async () => {
  telegram = await startFakeTelegram();
  gateway = await startGatewayProcess({
    config: {
      agents: {
        defaults: { model: "offline/demo" },
        list: [
          { id: "main", default: true, identity: { name: "Ada", emoji: "🦊", avatar: "pictures/ada.png" } },
          { id: "ops" },
        ],
      },
      channels: { telegram: { botToken: telegram.token, apiRoot: telegram.apiRoot, allowFrom: [77] } },
    },
  });
  admin = await connect();
});
after(async () => {
  for (const client of clients) client.close();
  await gateway.dispose();
  await telegram.close();
});

test("scopes decide, never the key of a session", async () => {
  await say(admin, "secret", "hello");
  const reader = await connect(["operator.read"]);
  const nobody = await connect([]);
  const reads: [string, object][] = [
    ["sessions.list", {}],
    ["sessions.describe", { key: "secret" }],
    ["sessions.preview", { keys: ["secret"] }],
    ["sessions.resolve", { key: "secret" }],
    ["sessions.get", { key: "secret" }],
    ["sessions.usage", {}],
    ["usage.cost", {}],
    ["sessions.subscribe", {}],
    ["sessions.messages.subscribe", { key: "secret" }],
    ["agent.identity.get", {}],
  ];
  for (const [method, params] of reads) {
    assert.equal((await reader.request(method, params)).ok, true, method);
    assert.equal((await nobody.request(method, params)).error?.message, "missing scope: operator.read", method);
  }
  const changes: [string, object][] = [
    ["sessions.patch", { key: "secret", label: "x" }],
    ["sessions.reset", { key: "secret" }],
    ["sessions.delete", { key: "secret" }],
    ["sessions.compact", { key: "secret" }],
    ["chat.inject", { sessionKey: "secret", message: "x" }],
  ];
  for (const [method, params] of changes) {
    assert.equal((await reader.request(method, params)).error?.message, "missing scope: operator.admin", method);
  }
});

test("only connections that asked are told, of the session that they asked for", async () => {
  const [listener, reader, idle] = [await connect(), await connect(), await connect()];
  await listener.request("sessions.subscribe");
  const subscribed = await reader.request("sessions.messages.subscribe", { key: "one" });
  assert.deepEqual(subscribed.payload, { subscribed: true, key: "agent:main:one" });
  await say(admin, "one", "to one");
  await say(admin, "two", "to two");
  await listener.wait(
    (frame) =>
      frame.event === "sessions.changed" &&
      frame.payload?.["sessionKey"] === "agent:main:two" &&
      frame.payload["reason"] === "end",
  );
  const names = (client: RawClient) =>
    client.frames.flatMap(({ event, payload }) =>
      event?.startsWith("session") ? [`${event} ${String(payload?.["sessionKey"])}`] : [],
    );
  assert.deepEqual(new Set(names(reader)), new Set(["session.message agent:main:one"]));
  assert.deepEqual(
    new Set(names(listener)),
    new Set(["sessions.changed agent:main:one", "sessions.changed agent:main:two"]),
  );
  assert.deepEqual(names(idle), []);

  await reader.request("sessions.messages.unsubscribe", { key: "one" });
  await listener.request("sessions.unsubscribe");
  const seen = names(reader).length + names(listener).length;
  await say(admin, "one", "again");
  assert.equal(names(reader).length + names(listener).length, seen);
  const sequence = listener.frames.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
  assert.deepEqual(
    sequence,
    sequence.map((_, index) => index + 1),
    "no hole for what others get",
  );
});

test("words put into the agent's mouth are shown and kept, and reach no chat", async () => {
  assert.equal(
    (await admin.request("chat.inject", { sessionKey: "nowhere", message: "x" })).error?.message,
    "session not found",
  );
  await say(admin, "injected", "hello");
  const answer = await admin.request("chat.inject", {
    sessionKey: "injected",
    message: "Tea is ready",
    label: "kitchen",
  });
  const messageId = String(answer.payload?.["messageId"]);
  assert.match(messageId, /^[0-9a-f]{8}$/u);
  const shown = await admin.wait((frame) => frame.payload?.["runId"] === `inject-${messageId}`);
  assert.deepEqual([shown.event, shown.payload?.["state"], shown.payload?.["seq"]], ["chat", "final", 0]);
  const history = await admin.request("chat.history", { sessionKey: "injected", limit: 1 });
  const [last] = (history.payload?.["messages"] ?? []) as { content: { text: string }[] }[];
  assert.equal(last?.content[0]?.text, "[kitchen]\n\nTea is ready");
});

test("an agent has a name and a picture, and never shows a path", async () => {
  const identity = async (params: object) => {
    const frame = await admin.request("agent.identity.get", params);
    return frame.ok ? frame.payload : frame.error?.message;
  };
  assert.deepEqual(await identity({}), { agentId: "main", name: "Ada", avatar: "🦊", emoji: "🦊" });
  assert.deepEqual(await identity({ sessionKey: "agent:ops:main" }), {
    agentId: "ops",
    name: "Assistant",
    avatar: "A",
  });
  assert.equal(
    await identity({ agentId: "main", sessionKey: "agent:ops:main" }),
    'invalid agent.identity.get params: agent "main" does not match session key agent "ops"',
  );
  assert.match(String(await identity({ agentId: "none" })), /unknown agent id "none"/u);
});

test("a muted session refuses agent and chat.send, but for repetitions of what it took", async () => {
  const taken = { sessionKey: "muted", message: "first", idempotencyKey: randomUUID() };
  assert.equal((await admin.request("chat.send", taken)).payload?.["status"], "started");
  await admin.request("sessions.patch", { key: "muted", sendPolicy: "deny" });
  for (const [method, params] of [
    ["agent", { sessionKey: "muted", message: "x", idempotencyKey: randomUUID() }],
    ["chat.send", { sessionKey: "muted", message: "x", idempotencyKey: randomUUID() }],
  ] as const) {
    const { error } = await admin.request(method, params);
    assert.deepEqual([error?.code, error?.message], ["INVALID_REQUEST", "send blocked by session policy"]);
  }
  assert.equal((await admin.request("chat.send", taken)).ok, true);
  assert.equal(
    (await admin.request("chat.send", { sessionKey: "muted", message: "/stop", idempotencyKey: "s" })).ok,
    true,
  );
});

test("what is sent stands in the session of the chat, or the one named", async () => {
  const send = (extra: object) =>
    admin.request("send", {
      channel: "telegram",
      to: "42",
      message: "The train is late",
      idempotencyKey: randomUUID(),
      ...extra,
    });
  await until(async () => (await send({})).ok === true);
  assert.equal((await send({ sessionKey: "named" })).ok, true);
  for (const key of ["agent:main:telegram:dm:42", "named"]) {
    const { payload } = await admin.request("sessions.preview", { keys: [key] });
    const [preview] = (payload?.["previews"] ?? []) as { items: { role: string; text: string }[] }[];
    assert.deepEqual(preview?.items[0], { role: "assistant", text: "The train is late" }, key);
  }
});

test("a reply goes where the session was last heard from when it is asked for, and a repetition changes nothing", async () => {
  const key = "agent:main:telegram:dm:77";
  const ask = { sessionKey: key, message: "hello", deliver: true, idempotencyKey: randomUUID() };
  assert.equal((await admin.request("chat.send", ask)).payload?.["status"], "started");
  await admin.wait(
    (frame) =>
      frame.event === "chat" && frame.payload?.["runId"] === ask.idempotencyKey && frame.payload["state"] === "final",
  );
  assert.equal(sentTo("77"), 0, "nobody has been heard from yet");

  telegram.addMessage({ chatId: 77, text: "it is me" });
  await until(() => sentTo("77") === 1);
  assert.equal((await admin.request("chat.send", ask)).payload?.["status"], "ok");
  await say(admin, key, "and to the chat too", { deliver: true });
  await until(() => sentTo("77") === 2);
});

test("a key with another body is refused by send, agent and chat.send, also after a restart", async () => {
  const bodies: Record<string, object> = {
    send: { channel: "telegram", to: "42", message: "one" },
    agent: { sessionKey: "keys", message: "one" },
    "chat.send": { sessionKey: "keys", message: "one" },
  };
  const final = (client: RawClient, id: string) =>
    client.wait((frame) => frame.id === id && frame.type === "res" && frame.payload?.["status"] !== "accepted");
  const ask = async (client: RawClient, method: string, extra: object = {}): Promise<Frame> => {
    const id = randomUUID();
    client.send({
      type: "req",
      id,
      method,
      params: { ...bodies[method], idempotencyKey: `key of ${method}`, ...extra },
    });
    return final(client, id);
  };
  const reused = async (client: RawClient, method: string) => {
    const { error } = await ask(client, method, { message: "two" });
    assert.deepEqual([error?.code, error?.details?.["reason"]], ["INVALID_REQUEST", "key_reused"], method);
  };
  const firsts = new Map<string, Frame>();
  for (const method of Object.keys(bodies)) {
    const first = await ask(admin, method);
    assert.equal(first.ok, true, JSON.stringify(first));
    firsts.set(method, first);
    await reused(admin, method);
  }
  const sentBefore = sent();
  await gateway.stop("SIGKILL");
  await gateway.start();
  admin = await connect();
  for (const method of Object.keys(bodies)) {
    await reused(admin, method);
    const again = await ask(admin, method);
    assert.equal(again.ok, true, JSON.stringify(again));
    if (method !== "chat.send") assert.deepEqual(again.payload, firsts.get(method)?.payload);
  }
  assert.equal(sent(), sentBefore);
});
