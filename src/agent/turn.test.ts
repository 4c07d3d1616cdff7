import assert from "node:assert/strict";
import { createServer, type Server, type ServerResponse } from "node:http";
import { after, before, test } from "node:test";

import { LLMock } from "@copilotkit/aimock";

import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { parseRunId, parseSessionKey } from "../base/ids.ts";
import { silentLog } from "../base/log.ts";
import { defaultConfig } from "../config/parse.ts";
import { createEgress } from "../platform/egress.ts";
import type { Tool } from "../ports/tool.ts";
import type { TranscriptMessage, TurnEvent, TurnRequest } from "../ports/turn.ts";
import type { Config } from "../settings/config.ts";
import { createCooldowns } from "./cooldowns.ts";
import { chooseModels } from "./models.ts";
import { openModel } from "./providers/open.ts";
import { createTurnRunner } from "./turn.ts";

const egress = createEgress({ clock: systemClock });
const mock = new LLMock({ port: 0, chunkSize: 4 });
/** A model server whose answers a test writes by hand. */
let rough: Server;
let roughUrl: string;
let roughAnswer: (response: ServerResponse, count: number) => void;
let roughCount = 0;

before(async () => {
  mock.onToolResult("call_1", { content: "It is noon." });
  mock.onMessage(/^time/u, { toolCalls: [{ name: "clock", arguments: '{"zone":"UTC"}', id: "call_1" }] });
  // every provider's own names for the same numbers
  const usage = {
    prompt_tokens: 11,
    completion_tokens: 7,
    total_tokens: 18,
    input_tokens: 11,
    output_tokens: 7,
    promptTokenCount: 11,
    candidatesTokenCount: 7,
    totalTokenCount: 18,
  };
  mock.onMessage(/^hello/u, { content: "Hello from the model, in several pieces.", usage });
  await mock.start();
  rough = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      roughCount += 1;
      roughAnswer(response, roughCount);
    });
  });
  await new Promise<void>((resolve) => {
    rough.listen(0, "127.0.0.1", resolve);
  });
  const address = rough.address();
  roughUrl = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/v1`;
});
after(async () => {
  await mock.stop();
  rough.closeAllConnections();
  rough.close();
});

type Providers = Config["models"]["providers"];
const clockTool: Tool & { calls: unknown[] } = {
  calls: [],
  name: "clock",
  description: "Tells the time.",
  parameters: { type: "object", properties: { zone: { type: "string" } }, required: ["zone"] },
  effect: "read",
  async run(params, { effectKey }) {
    this.calls.push({ params, effectKey });
    return "12:00";
  },
};

interface Setup {
  model: string | { primary: string; fallbacks: string[] };
  providers: Providers;
  tools?: readonly Tool[];
  env?: Record<string, string>;
}

function createRunner({ model, providers, tools = [clockTool], env = {} }: Setup) {
  const defaults = { ...defaultConfig().agents.defaults, model };
  return createTurnRunner({
    chooseModels: (override) => chooseModels({ defaults, providers, env: (name) => env[name] }, override),
    openModel: (spec) => openModel(spec, { fetch: egress.fetch, clock: systemClock }),
    cooldowns: createCooldowns(systemClock),
    tools: () => tools,
    clock: systemClock,
    log: silentLog,
  });
}

function createRequest(text: string, extra: Partial<TurnRequest> = {}): TurnRequest & { stored: TranscriptMessage[] } {
  const stored: TranscriptMessage[] = [...(extra.done ?? [])];
  return {
    runId: parseRunId("run"),
    attempt: 1,
    sessionKey: parseSessionKey("agent:main:main"),
    sessionId: "s",
    agentId: "main",
    text,
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
    stored,
  };
}

async function collect(events: AsyncIterable<TurnEvent>): Promise<TurnEvent[]> {
  const all: TurnEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}
const textOf = (event: TurnEvent | undefined) =>
  event?.type === "end"
    ? event.message.content.map((block) => (block.type === "text" ? block.text : "")).join("")
    : JSON.stringify(event);
const terminal = new Set(["end", "failed", "aborted"]);

const wires: readonly (readonly [string, () => Setup])[] = [
  [
    "OpenAI-compatible chat completions",
    () => ({ model: "local/m", providers: { local: { baseUrl: `${mock.url}/v1` } } }),
  ],
  [
    "Anthropic Messages",
    () => ({
      model: "anthropic/claude-opus-4-5",
      providers: { anthropic: { baseUrl: `${mock.url}/v1`, apiKey: "k" } },
    }),
  ],
  [
    "OpenAI Responses",
    () => ({ model: "openai/gpt-5.2", providers: { openai: { baseUrl: `${mock.url}/v1`, apiKey: "k" } } }),
  ],
  [
    "Google Gemini",
    () => ({ model: "google/gemini-2.5-pro", providers: { google: { baseUrl: `${mock.url}/v1beta`, apiKey: "k" } } }),
  ],
];

for (const [name, setup] of wires) {
  test(`${name}: text streams in pieces and ends with its usage`, async () => {
    const events = await collect(createRunner(setup())(createRequest("hello")));
    assert.equal(textOf(events.at(-1)), "Hello from the model, in several pieces.");
    const deltas = events.flatMap((event) => (event.type === "text" ? [event.delta] : []));
    assert.ok(deltas.length > 1, "in several pieces");
    assert.equal(deltas.join(""), "Hello from the model, in several pieces.");
    const last = events.at(-1);
    assert.ok(last?.type === "end");
    assert.deepEqual(
      [last.message.usage.input, last.message.usage.output, last.message.usage.totalTokens],
      [11, 7, 18],
    );
    assert.equal(events.filter(({ type }) => terminal.has(type)).length, 1);
  });

  test(`${name}: a tool is called with its arguments and its result comes back to the model`, async () => {
    clockTool.calls.length = 0;
    const request = createRequest("time please");
    const events = await collect(createRunner(setup())(request));
    assert.equal(textOf(events.at(-1)), "It is noon.");
    assert.deepEqual(clockTool.calls, [{ params: { zone: "UTC" }, effectKey: "run:0" }]);
    assert.deepEqual(
      request.stored.map(({ role }) => role),
      ["user", "assistant", "toolResult"],
    );
  });
}

const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
function stream(response: ServerResponse, ...parts: string[]): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const part of parts) response.write(part);
  response.end("data: [DONE]\n\n");
}
const say = (response: ServerResponse, text: string) =>
  stream(response, chunk({ role: "assistant", content: text }), chunk({}, "stop"));
const roughSetup = (): Setup => {
  roughCount = 0;
  return { model: "rough/m", providers: { rough: { baseUrl: roughUrl } } };
};
const withFallback = (): Setup => {
  roughCount = 0;
  return {
    model: { primary: "rough/m", fallbacks: ["local/m"] },
    providers: { rough: { baseUrl: roughUrl }, local: { baseUrl: `${mock.url}/v1` } },
  };
};
const fail = (response: ServerResponse, status: number, body: object, headers = {}) =>
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));

test("a rate limit moves on to the next model within three seconds", async () => {
  roughAnswer = (response) => fail(response, 429, { error: { message: "slow down" } }, { "retry-after": "60" });
  const startedAt = performance.now();
  const events = await collect(createRunner(withFallback())(createRequest("hello")));
  assert.ok(performance.now() - startedAt < 3_000);
  assert.ok(events.some((event) => event.type === "fallback" && event.from === "rough/m" && event.to === "local/m"));
  assert.equal(textOf(events.at(-1)), "Hello from the model, in several pieces.");
  assert.equal(roughCount, 1);
});

test("a server error is tried again, with a limit", async () => {
  roughAnswer = (response, count) =>
    count < 3 ? fail(response, 500, { error: { message: "oops" } }) : say(response, "third time");
  assert.equal(textOf((await collect(createRunner(roughSetup())(createRequest("x")))).at(-1)), "third time");

  roughAnswer = (response) => fail(response, 500, { error: { message: "oops" } });
  const events = await collect(createRunner(roughSetup())(createRequest("x")));
  const last = events.at(-1);
  assert.ok(last?.type === "failed" && last.fault.code === "agent_failed");
  assert.match(last.notice, /provider has trouble/u);
  assert.equal(roughCount, 3);
});

test("a wrong key gives one honest notice without the key", async () => {
  roughAnswer = (response) =>
    fail(response, 401, { error: { message: "Incorrect API key provided: sk-secret-secret" } });
  const last = (await collect(createRunner(roughSetup())(createRequest("x")))).at(-1);
  assert.ok(last?.type === "failed");
  assert.match(last.notice, /refuses the API key/u);
  assert.ok(!JSON.stringify(last).includes("sk-secret"));
  assert.equal(roughCount, 1);
});

test("a model that never answers runs into the turn's time limit", async () => {
  roughAnswer = () => undefined;
  const last = (await collect(createRunner(roughSetup())(createRequest("x", { timeoutMs: 200 })))).at(-1);
  assert.ok(last?.type === "failed" && last.fault.code === "agent_timeout");
});

test("an abort in mid-stream ends the turn at once and the server sees the connection go", async () => {
  const gone = Promise.withResolvers<void>();
  roughAnswer = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ role: "assistant", content: "begin " }));
    response.once("close", () => gone.resolve());
  };
  const controller = new AbortController();
  const events: TurnEvent[] = [];
  for await (const event of createRunner(roughSetup())(createRequest("x", { signal: controller.signal }))) {
    events.push(event);
    if (event.type === "text") controller.abort("rpc");
  }
  assert.deepEqual(events.at(-1), { type: "aborted", reason: "rpc", partialText: "begin " });
  await gone.promise;
});

test("half of a stream counts as a failure, and what was streamed is taken back", async () => {
  roughAnswer = (response, count) => {
    if (count > 1) {
      say(response, "whole");
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ role: "assistant", content: "half" }));
    setTimeout(() => response.destroy(), 20);
  };
  const events = await collect(createRunner(roughSetup())(createRequest("x")));
  assert.equal(textOf(events.at(-1)), "whole");
});

test("a tool does not run with broken arguments; the model is told and may try again", async () => {
  clockTool.calls.length = 0;
  const call = (text: string) =>
    chunk({ tool_calls: [{ index: 0, id: "c", type: "function", function: { name: "clock", arguments: text } }] });
  roughAnswer = (response, count) => {
    if (count === 1) stream(response, call('{"zone":'), chunk({}, "tool_calls"));
    else if (count === 2) stream(response, call("{}"), chunk({}, "tool_calls"));
    else if (count === 3) stream(response, call('{"zone":"UTC"}'), chunk({}, "tool_calls"));
    else say(response, "done");
  };
  const events = await collect(createRunner(roughSetup())(createRequest("x")));
  assert.equal(textOf(events.at(-1)), "done");
  assert.deepEqual(clockTool.calls, [{ params: { zone: "UTC" }, effectKey: "run:2" }]);
  assert.deepEqual(
    events.flatMap((event) => (event.type === "toolResult" ? [event.isError] : [])),
    [true, true, false],
  );
});

test("an attempt that resumes repeats neither the model call nor the tools that were done", async () => {
  clockTool.calls.length = 0;
  const usage = { input: 1, output: 1, cacheRead: 0, cacheWrite: 0, totalTokens: 2 };
  const done: TranscriptMessage[] = [
    { role: "user", content: [{ type: "text", text: "x" }], timestamp: 1 },
    {
      role: "assistant",
      content: [
        { type: "toolCall", id: "a", name: "clock", arguments: { zone: "A" } },
        { type: "toolCall", id: "b", name: "clock", arguments: { zone: "B" } },
      ],
      timestamp: 2,
      provider: "rough",
      model: "m",
      usage,
      stopReason: "tool",
    },
    {
      role: "toolResult",
      toolCallId: "a",
      toolName: "clock",
      isError: false,
      timestamp: 3,
      content: [{ type: "text", text: "12" }],
    },
  ];
  roughAnswer = (response) => say(response, "resumed");
  const events = await collect(createRunner(roughSetup())(createRequest("x", { attempt: 2, done })));
  assert.equal(textOf(events.at(-1)), "resumed");
  assert.deepEqual(clockTool.calls, [{ params: { zone: "B" }, effectKey: "run:1" }]);
  assert.equal(roughCount, 1);
});

test("when a newer attempt owns the turn, this one stops without further effects", async () => {
  clockTool.calls.length = 0;
  const request = createRequest("x", {
    checkpoint: () => Promise.reject(new Fault("aborted", "a newer attempt owns this turn")),
  });
  const events = await collect(createRunner(roughSetup())(request));
  assert.deepEqual(events.at(-1), { type: "aborted", reason: "superseded", partialText: "" });
  assert.equal(roughCount, 0);
});

test("a conversation too long for the model is cut once, then told honestly", async () => {
  const lengths: number[] = [];
  roughAnswer = (response) =>
    fail(response, 400, { error: { message: "This model's maximum context length is 4096 tokens" } });
  const history: TranscriptMessage[] = Array.from({ length: 40 }, (_, index) => ({
    role: "user",
    content: [{ type: "text", text: `message ${index} `.repeat(400) }],
    timestamp: index,
  }));
  rough.on("request", (request) => lengths.push(Number(request.headers["content-length"])));
  const last = (await collect(createRunner(roughSetup())(createRequest("x", { history })))).at(-1);
  assert.ok(last?.type === "failed");
  assert.match(last.notice, /longer than the model's window/u);
  assert.equal(lengths.length, 2);
  assert.ok((lengths[1] ?? 0) < (lengths[0] ?? 0));
});

test("without a key the offline demo answers, says what it is, and calls a tool", async () => {
  const status: Tool = {
    ...clockTool,
    name: "session_status",
    parameters: { type: "object", properties: {} },
    run: async () => "model: offline/demo",
  };
  const runner = createTurnRunner({
    chooseModels: () =>
      chooseModels({ defaults: defaultConfig().agents.defaults, providers: {}, env: () => undefined }),
    openModel: (spec) => openModel(spec, { fetch: egress.fetch, clock: systemClock }),
    cooldowns: createCooldowns(systemClock),
    tools: () => [status],
    clock: systemClock,
    log: silentLog,
  });
  const hello = await collect(runner(createRequest("hello")));
  assert.match(textOf(hello.at(-1)), /offline demo.*no AI behind me.*agents/su);
  assert.ok(hello.filter(({ type }) => type === "text").length > 10);
  const called = await collect(runner(createRequest("status")));
  assert.ok(called.some((event) => event.type === "toolResult" && event.result === "model: offline/demo"));
});

test("a model that is named but has no key is not replaced in silence", async () => {
  const last = (
    await collect(createRunner({ model: "anthropic/claude-opus-4-5", providers: {} })(createRequest("x")))
  ).at(-1);
  assert.ok(last?.type === "failed");
  assert.match(last.notice, /no API key for anthropic/u);
});
