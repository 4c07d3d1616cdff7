import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { LLMock } from "@copilotkit/aimock";

import { systemClock } from "../base/clock.ts";
import { parseRunId, parseSessionKey } from "../base/ids.ts";
import { silentLog } from "../base/log.ts";
import { defaultConfig } from "../config/parse.ts";
import { createEgress } from "../platform/egress.ts";
import type { Tool } from "../ports/tool.ts";
import type { TranscriptMessage, TurnEvent, TurnRequest } from "../ports/turn.ts";
import { createCooldowns } from "./cooldowns.ts";
import { decideOffer, toClientCalls } from "./functions.ts";
import { chooseModels } from "./models.ts";
import { openModel } from "./providers/open.ts";
import { createTurnRunner } from "./turn.ts";

const egress = createEgress({ clock: systemClock });
const mock = new LLMock({ port: 0, chunkSize: 8 });
const weather = {
  name: "get_weather",
  description: "Weather of a city.",
  parameters: { type: "object", properties: { city: { type: "string" } } },
};
const clockCalls: unknown[] = [];
const clockTool: Tool = {
  name: "clock",
  description: "Tells the time.",
  parameters: { type: "object", properties: {} },
  effect: "read",
  async run(params) {
    clockCalls.push(params);
    return "12:00";
  },
};

before(async () => {
  mock.onToolResult("call_w", { content: "It rains in Hanoi." });
  mock.onMessage(/^weather and time/u, {
    toolCalls: [
      { name: "clock", arguments: "{}", id: "call_c" },
      { name: "get_weather", arguments: '{"city":"Hanoi"}', id: "call_w" },
    ],
  });
  mock.onMessage(/^weather/u, {
    toolCalls: [{ name: "get_weather", arguments: '{"city":"Hanoi"}', id: "call_w" }],
  });
  mock.onMessage(/^hello/u, { content: "Hello." });
  await mock.start();
});
after(() => mock.stop());

const wires = {
  "OpenAI-compatible": { model: "local/m", providers: { local: { baseUrl: "" } } },
  Anthropic: { model: "anthropic/claude-opus-4-5", providers: { anthropic: { baseUrl: "", apiKey: "k" } } },
  "OpenAI Responses": { model: "openai/gpt-5.2", providers: { openai: { baseUrl: "", apiKey: "k" } } },
  Google: { model: "google/gemini-2.5-pro", providers: { google: { baseUrl: "", apiKey: "k" } } },
} as const;

async function run(wire: keyof typeof wires, extra: Partial<TurnRequest>) {
  const { model, providers } = wires[wire];
  const baseUrl = `${mock.url}/${wire === "Google" ? "v1beta" : "v1"}`;
  const runTurn = createTurnRunner({
    chooseModels: (override) =>
      chooseModels(
        {
          defaults: { ...defaultConfig().agents.defaults, model },
          providers: Object.fromEntries(Object.entries(providers).map(([id, own]) => [id, { ...own, baseUrl }])),
          env: () => undefined,
        },
        override,
      ),
    openModel: (spec) => openModel(spec, { fetch: egress.fetch, clock: systemClock }),
    cooldowns: createCooldowns(systemClock),
    tools: () => [clockTool],
    clock: systemClock,
    log: silentLog,
  });
  const stored: TranscriptMessage[] = [];
  const events: TurnEvent[] = [];
  mock.clearRequests();
  for await (const event of runTurn(createRequest(extra, stored))) events.push(event);
  return { last: events.at(-1), stored, requests: mock.getRequests().map(({ body }) => JSON.stringify(body)) };
}

function createRequest(extra: Partial<TurnRequest>, stored: TranscriptMessage[] = []): TurnRequest {
  return {
    runId: parseRunId("run"),
    attempt: 1,
    sessionKey: parseSessionKey("agent:main:main"),
    sessionId: "s",
    agentId: "main",
    text: "",
    isOwner: false,
    attachments: [],
    timeoutMs: 10_000,
    history: [],
    done: [],
    async checkpoint(messages) {
      stored.push(...messages);
    },
    signal: new AbortController().signal,
    ...extra,
  };
}

const callsOf = (event: TurnEvent | undefined) =>
  event?.type === "end"
    ? event.message.content.flatMap((block) => (block.type === "toolCall" ? [[block.name, block.arguments]] : []))
    : event;
const textOf = (event: TurnEvent | undefined) =>
  event?.type === "end"
    ? event.message.content.map((block) => (block.type === "text" ? block.text : "")).join("")
    : event;

for (const wire of Object.keys(wires) as (keyof typeof wires)[]) {
  test(`${wire}: a call of the client's function ends the turn, and its result goes on from there`, async () => {
    const asked = await run(wire, { text: "weather", functions: [weather] });
    assert.deepEqual(callsOf(asked.last), [["get_weather", { city: "Hanoi" }]]);
    assert.equal(asked.requests.length, 1);
    assert.ok(asked.requests[0]?.includes("get_weather") && asked.requests[0].includes("clock"));
    assert.ok(asked.last?.type === "end");

    const callId = asked.last.message.content.find((block) => block.type === "toolCall")?.id ?? "";
    const answered = await run(wire, {
      functions: [weather],
      history: [...asked.stored, asked.last.message],
      functionResults: [{ callId, name: "get_weather", output: "rain", isError: false }],
    });
    assert.ok(answered.requests[0]?.includes("rain"), "the model is told what the function gave");
    assert.deepEqual(
      answered.stored.map(({ role }) => role),
      ["toolResult"],
    );
    // the mock knows the call by its id, which one of the wires does not carry
    if (wire !== "Google") assert.equal(textOf(answered.last), "It rains in Hanoi.");
  });
}

test("our tools are not run beside a call that the client has to do", async () => {
  const { last } = await run("OpenAI-compatible", { text: "weather and time", functions: [weather] });
  assert.deepEqual(callsOf(last), [["get_weather", { city: "Hanoi" }]]);
  assert.deepEqual(clockCalls, []);
});

test("a client that wants a call gets its functions offered alone; one that wants none gets ours alone", async () => {
  const required = await run("OpenAI-compatible", {
    text: "weather",
    functions: [weather],
    functionChoice: "required",
  });
  assert.doesNotMatch(required.requests[0] ?? "", /"clock"/u);
  assert.match(required.requests[0] ?? "", /"tool_choice":"required"/u);
  const named = await run("OpenAI-compatible", {
    text: "weather",
    functions: [weather],
    functionChoice: { name: "get_weather" },
  });
  assert.match(named.requests[0] ?? "", /"tool_choice":\{[^}]*\{?"name":"get_weather"|"name":"get_weather"\}\}/u);
  const none = await run("OpenAI-compatible", { text: "hello", functions: [weather], functionChoice: "none" });
  assert.doesNotMatch(none.requests[0] ?? "", /get_weather/u);
  assert.match(none.requests[0] ?? "", /"clock"/u);
});

test("what a client says of sampling reaches the model; its limit of tokens lowers the model's own and never raises it", async () => {
  const sampling = { maxOutputTokens: 7, temperature: 0.3, topP: 0.9, seed: 5, stop: ["END"], presencePenalty: 0.1 };
  const { requests } = await run("OpenAI-compatible", { text: "hello", sampling });
  for (const part of [/"max_tokens":7/u, /"temperature":0.3/u, /"top_p":0.9/u, /"seed":5/u, /"stop":\["END"\]/u])
    assert.match(requests[0] ?? "", part);
  const raised = await run("OpenAI-compatible", { text: "hello", sampling: { maxOutputTokens: 9_999_999 } });
  assert.doesNotMatch(raised.requests[0] ?? "", /9999999/u);
});

test("a function of the client's hides a tool of the same name", () => {
  const own = { name: "clock", description: "ours", parameters: {} };
  const theirs = { name: "clock", description: "theirs", parameters: {} };
  const request = createRequest({ functions: [theirs] });
  assert.deepEqual(decideOffer([own], request).tools, [theirs]);
  const message = {
    role: "assistant",
    content: [{ type: "toolCall", id: "1", name: "other", arguments: {} }],
    timestamp: 0,
    provider: "p",
    model: "m",
    usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, totalTokens: 0 },
    stopReason: "tool",
  } as const;
  assert.equal(toClientCalls(message, request), undefined);
});
