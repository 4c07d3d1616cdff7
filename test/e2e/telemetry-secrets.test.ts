// Words of people and secrets, planted wherever they can come from, and looked for in all that a collector is sent.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";

import { until } from "../kit/conversation.ts";
import { openRawClient } from "../kit/raw-client.ts";
import { hasAll, openTracedGateway, type TracedGateway } from "../kit/traced-gateway.ts";

/** What was planted, by where. */
const planted = new Map<string, string>();
function plant(where: string): string {
  const word = `C4n4ry${randomBytes(12).toString("hex")}`;
  planted.set(where, word);
  return word;
}
/** Ids of people and chats are numbers there. */
function plantNumber(where: string): number {
  const number = 7_000_000_000 + randomBytes(4).readUInt32BE(0);
  planted.set(where, String(number));
  return number;
}

const sender = plantNumber("id of a sender");
const stranger = plantNumber("id of a stranger");
const group = -plantNumber("id of a group");
const [hookToken, modelKey, collectorKey] = [plant("hook token"), plant("model key"), plant("collector key")];

/** Questions choose what the model says. */
function answer(messages: readonly { readonly role: string; readonly content: unknown }[]) {
  const last = messages.at(-1);
  if (last?.role === "tool") return plant("reply");
  const question = JSON.stringify(last?.content ?? "");
  if (question.includes("break")) return 400;
  if (question.includes("wrong tool"))
    return { tool: plant("name of no tool"), args: { [plant("argument")]: plant("its value") } };
  if (question.includes("bad args"))
    return { tool: "message", args: { action: plant("bad action"), message: plant("unsent text") } };
  if (question.includes("send"))
    return { tool: "message", args: { action: "send", message: plant("text of a tool"), target: String(sender) } };
  return { tool: "session_status", args: {} };
}

async function post(
  { gateway }: TracedGateway,
  {
    path,
    body,
    headers = {},
    token = gateway.token,
  }: { path: string; body: unknown; headers?: Record<string, string>; token?: string },
): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify(body),
  });
  await response.text();
}

function fromTelegram({ telegram }: TracedGateway, what: string) {
  let id = 1;
  const person = (number: number) => ({
    id: number,
    is_bot: false,
    first_name: plant(`first name (${what})`),
    last_name: plant(`last name (${what})`),
    username: plant(`user name (${what})`),
  });
  const push = (message: object) => {
    const update = { update_id: id, message: { message_id: id, date: 1, ...message } };
    telegram.updates.push(update);
    id += 1;
  };
  return {
    direct: (from: number, text: string) => push({ chat: { id: from, type: "private" }, from: person(from), text }),
    group: (text: string) =>
      push({ chat: { id: group, type: "supergroup", title: plant("title of a group") }, from: person(sender), text }),
  };
}

async function overHttp(kit: TracedGateway): Promise<void> {
  const chat = (question: string) => ({
    model: "openclaw",
    user: plant("user of a completion"),
    messages: [
      { role: "system", content: plant("instructions") },
      { role: "user", content: `${question} ${plant("question")}` },
    ],
    tools: [{ type: "function", function: { name: plant("client's function"), parameters: { type: "object" } } }],
  });
  const headers = {
    "x-openclaw-session-key": `agent:main:${plant("session key")}`,
    "idempotency-key": plant("key of a request"),
    "user-agent": plant("user agent"),
    "x-forwarded-for": plant("forwarded for"),
    cookie: `a=${plant("cookie")}`,
    tracestate: `a=${plant("tracestate")}`,
    baggage: `a=${plant("baggage")}`,
    traceparent: `00-${plant("no traceparent")}`,
  };
  const completions = "/v1/chat/completions";
  await post(kit, { path: `${completions}?q=${plant("query")}`, body: chat("now"), headers });
  await post(kit, { path: completions, body: chat("break") });
  await post(kit, { path: completions, body: { ...chat("x"), model: plant("unknown model") } });
  await post(kit, { path: completions, body: chat("x"), token: plant("wrong token") });
  await post(kit, { path: `/${plant("path")}`, body: {} });
  await post(kit, {
    path: "/tools/invoke",
    body: { tool: plant("tool over HTTP"), args: { a: plant("its argument") } },
  });
  await post(kit, { path: "/tools/invoke", body: { tool: "session_status", sessionKey: plant("session of a tool") } });
  const hook = {
    message: plant("text of a hook"),
    name: plant("name of a hook"),
    sessionKey: `hook:${plant("session of a hook")}`,
    deliver: true,
    channel: "telegram",
    to: String(sender),
  };
  await post(kit, { path: "/hooks/agent", body: hook, token: hookToken, headers: { "x-event-id": plant("event id") } });
  await post(kit, { path: "/hooks/wake", body: { text: plant("wake"), mode: "now" }, token: hookToken });
}

async function overWebSocket({ gateway }: TracedGateway): Promise<void> {
  const client = await openRawClient(gateway.port, gateway.token);
  try {
    await client.connect({
      client: { id: "cli", mode: "cli", version: "1", platform: "linux", displayName: plant("display name") },
    });
    const run = {
      message: plant("message of a run"),
      sessionKey: `agent:main:${plant("session of a run")}`,
      extraSystemPrompt: plant("extra prompt"),
      label: plant("label"),
    };
    await client.request("agent", { ...run, idempotencyKey: plant("key of a run") });
    await client.request("chat.send", {
      sessionKey: plant("session of a chat"),
      message: plant("chat"),
      idempotencyKey: plant("key of a chat"),
    });
    await client.request("send", {
      to: String(sender),
      message: plant("sent text"),
      channel: "telegram",
      idempotencyKey: plant("key of a send"),
    });
    await client.request(plant("no such method"), { a: plant("params") });
    await client.request("wake", { text: plant("wake text"), mode: "now" });
  } finally {
    client.close();
  }
}

test("nothing that people write, no name, number or secret is in what a collector is sent", async (context) => {
  const kit = await openTracedGateway(context, {
    answer: ({ messages }) => answer(messages),
    config: {
      agents: {
        defaults: { model: "mock/test-model" },
        list: [{ id: "main", default: true, identity: { name: plant("agent's name") } }],
      },
      channels: {
        telegram: {
          dmPolicy: "pairing",
          allowFrom: [sender],
          groupPolicy: "open",
          groups: { "*": { requireMention: false } },
        },
      },
      models: { providers: { mock: { apiKey: modelKey, headers: { "x-extra": plant("model header") } } } },
      hooks: { enabled: true, token: hookToken, allowRequestSessionKey: true },
      env: { vars: { SOME_API_KEY: plant("variable of the config") } },
    },
    env: ({ url }) => ({
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${collectorKey}`,
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_METRIC_EXPORT_INTERVAL: "1000",
      ANOTHER_API_KEY: plant("variable of the process"),
    }),
  });
  const { collector, telegram, gateway, replies } = kit;
  planted.set("bot token", telegram.token);
  planted.set("Gateway's token", gateway.token);
  telegram.react = ({ method, body }) =>
    method === "sendMessage" && String(body["chat_id"]) === String(stranger)
      ? { error: { error_code: 400, description: `Bad Request: ${plant("what the platform says")}` } }
      : undefined;

  const say = fromTelegram(kit, "chat");
  for (const text of ["hello", "wrong tool", "bad args", "send", "break"])
    say.direct(sender, `${text} ${plant("message")}`);
  say.group(plant("message in a group"));
  say.direct(stranger, plant("message of a stranger"));
  await until(() => replies().length >= 8, 30_000);
  await overHttp(kit);
  await overWebSocket(kit);
  await hasAll(kit, "receive telegram", "receive client", "send", "send telegram", "POST hooks", "POST tools-invoke");
  assert.equal(await gateway.stop(), 0);

  assert.ok(planted.size >= 50, `${planted.size} are planted`);
  const kinds = new Set(collector.requests.map(({ path }) => path));
  assert.deepEqual(kinds, new Set(["/v1/traces", "/v1/metrics"]));
  const sent = collector.requests.map(({ body }) => body.toString("utf8")).join("\n");
  for (const [where, word] of planted) assert.ok(!sent.includes(word), `${where} was exported: ${word}`);
  assert.ok(collector.spans.some(({ isError }) => isError));
  assert.ok(collector.requests.every(({ headers }) => headers.authorization === `Bearer ${collectorKey}`));
});
