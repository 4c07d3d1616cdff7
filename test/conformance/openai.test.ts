// The published clients of OpenAI's interface make their ordinary calls against a real Gateway; the model behind it is played by a
// local model server.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { LLMock } from "@copilotkit/aimock";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import OpenAI from "openai";

import {
  createGatewayProcess,
  mockProvider,
  startGatewayProcess,
  type GatewayProcess,
} from "../kit/gateway-process.ts";

const mock = new LLMock({ port: 0, chunkSize: 6 });
const picture = `data:image/png;base64,${Buffer.from("not really a picture").toString("base64")}`;
const weather = {
  type: "function" as const,
  function: {
    name: "get_weather",
    description: "Weather of a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const cityCall = [{ name: "get_weather", arguments: '{"city":"Hanoi"}', id: "call_w" }];

let gateway: GatewayProcess;
let client: OpenAI;
let baseURL: string;
before(async () => {
  mock.onToolResult("call_w", { content: "It rains in Hanoi." });
  mock.onMessage(/^weather/u, { toolCalls: cityCall });
  const usage = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 };
  mock.onToolResult("call_s", { content: "It is late.", usage });
  mock.onMessage(/^how late/u, {
    toolCalls: [{ name: "session_status", arguments: "{}", id: "call_s" }],
    usage: { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 },
  });
  mock.onMessage(/^fail/u, { error: { message: "no", type: "invalid_request_error" }, status: 400 });
  mock.onMessage(/^what did I say/u, { content: "You said nothing before." });
  mock.onMessage(/./u, {
    content: "Hello from the model, in several pieces.",
    usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
  });
  await mock.start();
  gateway = await startGatewayProcess({
    config: {
      gateway: { mode: "local", http: { endpoints: { chatCompletions: { enabled: true } } } },
      agents: {
        defaults: { model: "mock/m", timeoutSeconds: 20 },
        list: [{ id: "main", default: true }, { id: "home" }],
      },
      models: { providers: mockProvider(`${mock.url}/v1`) },
    },
  });
  baseURL = `http://127.0.0.1:${gateway.port}/v1`;
  client = new OpenAI({ baseURL, apiKey: gateway.token, maxRetries: 0 });
});
after(async () => {
  await gateway?.dispose();
  await mock.stop();
});

const bodies = () => mock.getRequests().map(({ body }) => JSON.stringify(body));

test("RB-14: openai: an ordinary completion, with its usage (OV-04, OV-27)", async () => {
  const answer = await client.chat.completions.create({
    model: "openclaw",
    messages: [
      { role: "system", content: "Be brief about elephants." },
      { role: "user", content: "hello" },
    ],
  });
  assert.equal(answer.object, "chat.completion");
  assert.match(answer.id, /^chatcmpl_/u);
  assert.equal(answer.choices[0]?.message.content, "Hello from the model, in several pieces.");
  assert.equal(answer.choices[0]?.finish_reason, "stop");
  assert.deepEqual(
    [answer.usage?.prompt_tokens, answer.usage?.completion_tokens, answer.usage?.total_tokens],
    [11, 7, 18],
  );
  assert.match(bodies().at(-1) ?? "", /elephants/u);
});

test("openai: a stream comes in pieces and ends with its usage", async () => {
  const stream = await client.chat.completions.create({
    model: "openclaw/home",
    messages: [{ role: "user", content: "hello" }],
    stream: true,
    stream_options: { include_usage: true },
  });
  const pieces: string[] = [];
  const finishes: unknown[] = [];
  let usage: OpenAI.CompletionUsage | null | undefined;
  for await (const chunk of stream) {
    usage = chunk.usage ?? usage;
    if (chunk.choices[0]?.delta.content) pieces.push(chunk.choices[0].delta.content);
    if (chunk.choices[0]?.finish_reason) finishes.push(chunk.choices[0].finish_reason);
  }
  assert.ok(pieces.length > 2, `${pieces.length} pieces`);
  assert.equal(pieces.join(""), "Hello from the model, in several pieces.");
  assert.deepEqual([finishes, usage?.total_tokens], [["stop"], 18]);
});

test("openai: the usage is that of all the calls that an answer took", async () => {
  const { choices, usage } = await client.chat.completions.create({
    model: "openclaw",
    messages: [{ role: "user", content: "how late is it" }],
  });
  assert.equal(choices[0]?.message.content, "It is late.");
  assert.deepEqual([usage?.prompt_tokens, usage?.completion_tokens, usage?.total_tokens], [30, 8, 38]);
});

for (const isStreamed of [false, true]) {
  test(`openai: a function of the client is called, and its result answered${isStreamed ? ", streamed" : ""}`, async () => {
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "weather please" }];
    const ask = async () => {
      const body = { model: "openclaw", messages, tools: [weather], tool_choice: "auto" as const };
      return isStreamed
        ? client.chat.completions.stream(body).finalChatCompletion()
        : client.chat.completions.create(body);
    };
    const [asked] = (await ask()).choices;
    assert.equal(asked?.finish_reason, "tool_calls");
    const [call] = asked?.message.tool_calls ?? [];
    assert.ok(call?.type === "function");
    assert.deepEqual([call.function.name, JSON.parse(call.function.arguments)], ["get_weather", { city: "Hanoi" }]);
    messages.push(asked.message, { role: "tool", tool_call_id: call.id, content: "rain" });
    const [answered] = (await ask()).choices;
    assert.equal(answered?.message.content, "It rains in Hanoi.");
    assert.match(bodies().at(-1) ?? "", /rain/u);
  });
}

test("openai: runTools loops over our endpoint by itself", async () => {
  const seen: string[] = [];
  const runner = client.chat.completions.runTools({
    model: "openclaw",
    messages: [{ role: "user", content: "weather please" }],
    tools: [
      {
        type: "function",
        function: {
          ...weather.function,
          parse: JSON.parse as (text: string) => { city: string },
          function: ({ city }: { city: string }) => {
            seen.push(city);
            return "rain";
          },
        },
      },
    ],
  });
  assert.equal(await runner.finalContent(), "It rains in Hanoi.");
  assert.deepEqual(seen, ["Hanoi"]);
});

test("openai: a picture reaches the model, one of another kind or from elsewhere does not", async () => {
  const ask = (url: string) =>
    client.chat.completions.create({
      model: "openclaw",
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "what is on it" },
            { type: "image_url", image_url: { url } },
          ],
        },
      ],
    });
  await ask(picture);
  assert.ok((bodies().at(-1) ?? "").includes(picture.slice(picture.indexOf(",") + 1)));
  for (const url of [
    "data:text/html;base64,PGI+",
    "https://example.com/a.png",
    "data:image/png,raw",
    "file:///etc/passwd",
  ])
    await assert.rejects(
      ask(url),
      (error) => error instanceof OpenAI.BadRequestError && String(error.param).includes("image_url"),
    );
});

test("openai: models are the agents", async () => {
  const ids: string[] = [];
  for await (const { id } of client.models.list()) ids.push(id);
  assert.deepEqual(ids, ["openclaw", "openclaw/default", "openclaw/main", "openclaw/home"]);
  assert.equal((await client.models.retrieve("openclaw/home")).id, "openclaw/home");
  await assert.rejects(client.models.retrieve("gpt-4"), OpenAI.NotFoundError);
});

test("openai: what is wrong is told in the form that the client reads", async () => {
  const user = (content: string) => [{ role: "user" as const, content }];
  const stranger = new OpenAI({ baseURL, apiKey: "wrong", maxRetries: 0 });
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
  const wrong: readonly [string, object][] = [
    ["model", { model: "gpt-4o", messages: user("x") }],
    ["agentId", { model: "openclaw/nobody", messages: user("x") }],
    ["messages", { model: "openclaw", messages: [] }],
    ["temperature", { model: "openclaw", messages: user("x"), temperature: 3 }],
    ["stop", { model: "openclaw", messages: user("x"), stop: ["1", "2", "3", "4", "5"] }],
    ["n", { model: "openclaw", messages: user("x"), n: 2 }],
    [
      "tool_choice",
      {
        model: "openclaw",
        messages: user("x"),
        tools: [weather],
        tool_choice: { type: "function", function: { name: "other" } },
      },
    ],
    ["messages[0].role", { model: "openclaw", messages: [{ role: "robot", content: "x" }] }],
    ["messages[0].tool_call_id", { model: "openclaw", messages: [{ role: "tool", tool_call_id: "c", content: "x" }] }],
  ];
  for (const [param, body] of wrong)
    await assert.rejects(
      client.chat.completions.create(body as OpenAI.ChatCompletionCreateParamsNonStreaming),
      (error) => error instanceof OpenAI.BadRequestError && error.param === param,
      param,
    );
  // a model that cannot answer: the same error, before a stream has begun too
  for (const stream of [false, true])
    await assert.rejects(
      client.chat.completions.create({ model: "openclaw", messages: user("fail"), stream }),
      (error) => error instanceof OpenAI.InternalServerError && error.status === 502,
    );
});

test("a user's session remembers, one without a user does not; a conversation that is told takes its place", async () => {
  const say = (content: string, extra: object = {}) =>
    client.chat.completions.create({ model: "openclaw", messages: [{ role: "user", content }], ...extra });
  await say("my name is Zebediah", { user: "u1" });
  await say("what did I say", { user: "u1" });
  assert.match(bodies().at(-1) ?? "", /Zebediah/u);
  await say("what did I say");
  assert.doesNotMatch(bodies().at(-1) ?? "", /Zebediah/u);
  await client.chat.completions.create({
    model: "openclaw",
    user: "u1",
    messages: [
      { role: "user", content: "my name is Hortensia" },
      { role: "assistant", content: "Hello." },
      { role: "user", content: "what did I say" },
    ],
  });
  const last = bodies().at(-1) ?? "";
  assert.match(last, /Hortensia/u);
  assert.doesNotMatch(last, /Zebediah/u);
});

test("headers name agent and session; the Gateway's own sessions are out of reach", async () => {
  const ask = (headers: Record<string, string>, model = "openclaw") =>
    client.chat.completions.create({ model, messages: [{ role: "user", content: "hello" }] }, { headers });
  await ask({ "x-openclaw-agent-id": "home", "x-openclaw-session-key": "notes" });
  await ask({ "x-moltbot-session-key": "agent:home:letters" }, "moltbot:home");
  const listed = await gateway.cli("gateway", "call", "sessions.list", "--json");
  const keys = (JSON.parse(listed.stdout) as { sessions: { key: string }[] }).sessions.map(({ key }) => key);
  assert.ok(keys.includes("agent:home:notes") && keys.includes("agent:home:letters"), keys.join(" "));
  for (const key of ["cron:nightly", "agent:main:subagent:x", "acp:1"])
    await assert.rejects(ask({ "x-openclaw-session-key": key }), OpenAI.BadRequestError);
});

test("the same idempotency key is one effect and the same answer", async () => {
  const earlier = bodies().length;
  const ask = () =>
    client.chat.completions.create(
      { model: "openclaw", messages: [{ role: "user", content: "hello once" }] },
      { headers: { "idempotency-key": "order-17" } },
    );
  const answers = await Promise.all([ask(), ask(), ask()]);
  assert.equal(new Set(answers.map(({ id, choices }) => `${id} ${choices[0]?.message.content}`)).size, 1);
  assert.equal(bodies().length - earlier, 1);
});

test("@ai-sdk/openai-compatible and ai: text, stream, and an agent's loop with tools", async () => {
  const provider = createOpenAICompatible({ name: "gateway", baseURL, apiKey: gateway.token });
  const model = provider.chatModel("openclaw");
  assert.equal((await generateText({ model, prompt: "hello" })).text, "Hello from the model, in several pieces.");
  let streamed = "";
  for await (const piece of streamText({ model, prompt: "hello" }).textStream) streamed += piece;
  assert.equal(streamed, "Hello from the model, in several pieces.");
  const cities: string[] = [];
  const { text, steps } = await generateText({
    model,
    prompt: "weather please",
    stopWhen: stepCountIs(4),
    tools: {
      get_weather: tool({
        description: "Weather of a city.",
        inputSchema: jsonSchema<{ city: string }>(weather.function.parameters as object),
        execute: async ({ city }) => {
          cities.push(city);
          return "rain";
        },
      }),
    },
  });
  assert.deepEqual([text, steps.length, cities], ["It rains in Hanoi.", 2, ["Hanoi"]]);
});

test("RB-14: switched off by default, for everybody", async (context) => {
  const plain = await createGatewayProcess();
  context.after(() => plain.dispose());
  await plain.start();
  for (const path of ["chat/completions", "models"]) {
    const response = await fetch(`http://127.0.0.1:${plain.port}/v1/${path}`, {
      method: path === "models" ? "GET" : "POST",
      headers: { authorization: `Bearer ${plain.token}` },
    });
    assert.equal(response.status, 404, path);
  }
});
