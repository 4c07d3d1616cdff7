// OpenResponses: the checks of its compliance suite, one by one, and the calls that OpenAI's own client makes, against a real Gateway
// with a model played by a local server.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { LLMock } from "@copilotkit/aimock";
import OpenAI from "openai";

import { mockProvider, startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { makePdf } from "../kit/pdf.ts";

const mock = new LLMock({ port: 0, chunkSize: 6 });
const picture = `data:image/png;base64,${Buffer.from("not really a picture").toString("base64")}`;
const weather = {
  type: "function" as const,
  name: "get_weather",
  description: "Weather of a city.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  strict: false,
};
const hello = "Hello from the model, in several pieces.";

let gateway: GatewayProcess;
let client: OpenAI;
before(async () => {
  mock.onToolResult("call_w", { content: "It rains in Hanoi." });
  mock.onMessage(/^weather/u, { toolCalls: [{ name: "get_weather", arguments: '{"city":"Hanoi"}', id: "call_w" }] });
  mock.onMessage(/^fail/u, { error: { message: "no", type: "invalid_request_error" }, status: 400 });
  mock.onMessage(/./u, { content: hello, usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 } });
  await mock.start();
  gateway = await startGatewayProcess({
    config: {
      gateway: {
        mode: "local",
        http: { endpoints: { responses: { enabled: true, files: { maxBytes: 20_000, maxChars: 500 } } } },
      },
      agents: { defaults: { model: "mock/m", timeoutSeconds: 20 } },
      models: { providers: mockProvider(`${mock.url}/v1`) },
    },
  });
  client = new OpenAI({ baseURL: `http://127.0.0.1:${gateway.port}/v1`, apiKey: gateway.token, maxRetries: 0 });
});
after(async () => {
  await gateway?.dispose();
  await mock.stop();
});

const lastBody = () => JSON.stringify(mock.getLastRequest()?.body);

/** Every field of the response resource, as the specification lists them. */
const fields = (
  "id object created_at completed_at status incomplete_details model previous_response_id instructions output error tools tool_choice " +
  "truncation parallel_tool_calls text top_p presence_penalty frequency_penalty top_logprobs temperature reasoning usage " +
  "max_output_tokens max_tool_calls store background service_tier metadata safety_identifier prompt_cache_key"
).split(" ");

function checkResource(value: unknown, status = "completed"): void {
  const resource = value as Record<string, unknown>;
  for (const field of fields) assert.ok(field in resource, `${field} is missing`);
  assert.deepEqual([resource["object"], resource["status"]], ["response", status]);
  assert.match(String(resource["id"]), /^resp_/u);
  for (const item of resource["output"] as Record<string, unknown>[]) {
    assert.ok(typeof item["id"] === "string" && typeof item["status"] === "string");
    if (item["type"] === "message") {
      assert.equal(item["role"], "assistant");
      for (const part of item["content"] as Record<string, unknown>[])
        assert.deepEqual(Object.keys(part).toSorted(), ["annotations", "logprobs", "text", "type"]);
    } else assert.deepEqual(Object.keys(item).toSorted(), ["arguments", "call_id", "id", "name", "status", "type"]);
  }
  if (status === "completed") assert.ok(resource["usage"] && resource["completed_at"] && resource["error"] === null);
}

/** Raw events in their order, and what has to hold for all of them. */
async function streamEvents(body: object): Promise<Record<string, unknown>[]> {
  const response = await gateway.post("/v1/responses", { model: "openclaw", stream: true, ...body });
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/u);
  const blocks = (await response.text()).split("\n\n").filter((block) => block !== "" && !block.startsWith(":"));
  assert.equal(blocks.pop(), "data: [DONE]");
  const events = blocks.map((block) => {
    const [name = "", data = ""] = block.split("\n");
    const event = JSON.parse(data.slice("data: ".length)) as Record<string, unknown>;
    assert.equal(name, `event: ${String(event["type"])}`);
    return event;
  });
  assert.deepEqual(
    events.map((event) => event["sequence_number"]),
    events.map((_, index) => index),
  );
  return events;
}
const typesOf = (events: readonly Record<string, unknown>[]) =>
  events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);

test("RB-15, compliance 1: a basic text response (OV-27)", async () => {
  const response = await client.responses.create({ model: "openclaw", input: "Say hello in exactly 3 words." });
  checkResource(response);
  assert.equal(response.output_text, hello);
  assert.deepEqual(
    [response.usage?.input_tokens, response.usage?.output_tokens, response.usage?.total_tokens],
    [11, 7, 18],
  );
});

test("compliance 2: a streamed response, every event in its order", async () => {
  const events = await streamEvents({ input: "count to five" });
  assert.deepEqual(typesOf(events), [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  checkResource(events[0]?.["response"], "in_progress");
  checkResource(events.at(-1)?.["response"]);
  assert.equal(
    events.flatMap((event) => (event["type"] === "response.output_text.delta" ? [event["delta"]] : [])).join(""),
    hello,
  );
  const done = events.find(({ type }) => type === "response.output_item.done");
  const { output } = (events.at(-1) as { response: { output: unknown[] } }).response;
  assert.deepEqual(output, [done?.["item"]]);

  const stream = client.responses.stream({ model: "openclaw", input: "count to five" });
  assert.equal((await stream.finalResponse()).output_text, hello);
});

test("compliance 3: a system message as an item, and instructions", async () => {
  const response = await client.responses.create({
    model: "openclaw",
    instructions: "Speak like a lighthouse keeper.",
    input: [
      { type: "message", role: "system", content: "You are a pirate." },
      { type: "message", role: "user", content: "Say hello." },
    ],
  });
  checkResource(response);
  assert.match(lastBody(), /pirate/u);
  assert.match(lastBody(), /lighthouse/u);
});

test("compliance 4: a call of a function, streamed too, and its result", async () => {
  const asked = await client.responses.create({ model: "openclaw", input: "weather in Hanoi", tools: [weather] });
  checkResource(asked);
  const call = asked.output.find((item) => item.type === "function_call");
  assert.deepEqual([call?.name, call?.arguments], ["get_weather", '{"city":"Hanoi"}']);
  const result = { type: "function_call_output" as const, call_id: call?.call_id ?? "", output: "rain" };
  const whole = await client.responses.create({
    model: "openclaw",
    tools: [weather],
    input: [{ role: "user", content: "weather in Hanoi" }, ...(call ? [call] : []), result],
  });
  assert.equal(whole.output_text, "It rains in Hanoi.");
  const goesOn = await client.responses.create({
    model: "openclaw",
    tools: [weather],
    previous_response_id: asked.id,
    input: [result],
  });
  assert.equal(goesOn.output_text, "It rains in Hanoi.");
  assert.equal(goesOn.previous_response_id, asked.id);

  const events = await streamEvents({ input: "weather in Hanoi", tools: [weather] });
  assert.deepEqual(typesOf(events), [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
    "response.completed",
  ]);
  // the form of older servers
  const nested = { type: "function", function: { name: "get_weather", parameters: weather.parameters } };
  const older = await streamEvents({ input: "weather in Hanoi", tools: [nested] });
  assert.equal(older.at(-1)?.["type"], "response.completed");
});

test("compliance 5: a picture, in both forms", async () => {
  const data = picture.slice(picture.indexOf(",") + 1);
  for (const part of [
    { type: "input_image", image_url: picture, detail: "auto" },
    { type: "input_image", source: { type: "base64", media_type: "image/png", data } },
  ]) {
    const content = [{ type: "input_text", text: "what is on it" }, part];
    // the second form is not in the types of the client
    const input = [{ type: "message", role: "user", content }] as unknown as OpenAI.Responses.ResponseInput;
    checkResource(await client.responses.create({ model: "openclaw", input }));
    assert.ok(lastBody().includes(data));
  }
});

test("compliance 6: several turns as items", async () => {
  const response = await client.responses.create({
    model: "openclaw",
    input: [
      { type: "message", role: "user", content: "My name is Zebediah." },
      { type: "message", role: "assistant", content: "Hello Zebediah." },
      { type: "message", role: "user", content: "What is my name?" },
    ],
  });
  checkResource(response);
  assert.match(lastBody(), /Hello Zebediah/u);
});

test("a response goes on from an earlier one, after a restart too; one that was not stored cannot", async () => {
  const first = await client.responses.create({ model: "openclaw", input: "My name is Hortensia." });
  await gateway.stop("SIGKILL");
  await gateway.start();
  await client.responses.create({ model: "openclaw", previous_response_id: first.id, input: "What is my name?" });
  assert.match(lastBody(), /Hortensia/u);
  assert.ok(lastBody().includes(hello));
  assert.equal((await client.responses.retrieve(first.id)).output_text, hello);

  const item = first.output[0]?.id ?? "";
  await client.responses.create({
    model: "openclaw",
    input: [
      { type: "item_reference", id: item },
      { role: "user", content: "Again." },
    ],
  });
  assert.ok(lastBody().includes(hello));

  const secret = await client.responses.create({ model: "openclaw", input: "x", store: false });
  await client.responses.delete(first.id);
  for (const id of [secret.id, first.id, "resp_unknown"]) {
    await assert.rejects(client.responses.retrieve(id), OpenAI.NotFoundError);
    await assert.rejects(
      client.responses.create({ model: "openclaw", previous_response_id: id, input: "x" }),
      (error) => error instanceof OpenAI.NotFoundError && error.param === "previous_response_id",
    );
  }
});

test("files: text, Markdown and PDF reach the model as text, cut to size; others are refused", async () => {
  const ask = (part: object) => {
    const content = [{ type: "input_text", text: "read this" }, part];
    // older forms are not in the types of the client
    const input = [{ role: "user", content }] as unknown as OpenAI.Responses.ResponseInput;
    return client.responses.create({ model: "openclaw", input });
  };
  const dataUrl = (type: string, bytes: Uint8Array | string) =>
    `data:${type};base64,${Buffer.from(bytes).toString("base64")}`;
  await ask({ type: "input_file", filename: "notes.md", file_data: dataUrl("text/markdown", "# Marigold") });
  assert.match(lastBody(), /notes\.md.*Marigold/u);
  const csv = Buffer.from("a,b\n1,Sorghum").toString("base64");
  await ask({ type: "input_file", source: { type: "base64", media_type: "text/csv", data: csv, filename: "x.csv" } });
  assert.match(lastBody(), /Sorghum/u);
  await ask({
    type: "input_file",
    filename: "a.pdf",
    file_data: dataUrl("application/pdf", makePdf(["Page of Thistle", "Two"])),
  });
  assert.match(lastBody(), /Page of Thistle/u);
  await ask({ type: "input_file", filename: "long.txt", file_data: dataUrl("text/plain", "x".repeat(2_000)) });
  assert.ok(!lastBody().includes("x".repeat(600)));

  const wrong: readonly [object, number][] = [
    [{ type: "input_file", file_data: dataUrl("application/zip", "PK") }, 400],
    [{ type: "input_file", file_data: dataUrl("text/plain", new Uint8Array([0xff, 0xfe, 0xfd])) }, 400],
    [{ type: "input_file", file_data: dataUrl("text/plain", "x".repeat(30_000)) }, 413],
    [{ type: "input_file", file_data: dataUrl("application/pdf", "not a pdf") }, 400],
    [{ type: "input_file", file_url: "http://127.0.0.1:1/x.txt" }, 403],
    [{ type: "input_image", image_url: "http://[::1]/x.png" }, 403],
    [{ type: "input_file", file_id: "file-1" }, 400],
    [{ type: "input_video" }, 400],
  ];
  for (const [part, status] of wrong)
    await assert.rejects(
      ask(part),
      (error) => error instanceof OpenAI.APIError && error.status === status,
      JSON.stringify(part).slice(0, 80),
    );
});

test("a model that fails: an error, or the event response.failed", async () => {
  await assert.rejects(
    client.responses.create({ model: "openclaw", input: "fail" }),
    (error) => error instanceof OpenAI.InternalServerError && error.status === 502,
  );
  const events = await streamEvents({ input: "fail" });
  assert.deepEqual(typesOf(events), ["response.created", "response.in_progress", "response.failed"]);
  const { response } = events.at(-1) as { response: { status: string; error: { code: string } } };
  assert.deepEqual([response.status, response.error.code], ["failed", "server_error"]);
});

test("what is wrong is named before anything is begun, streamed or not", async () => {
  const wrong: readonly [string, object][] = [
    ["model", { model: "gpt-4o", input: "x" }],
    ["input", { model: "openclaw" }],
    ["input", { model: "openclaw", input: [] }],
    ["content", { model: "openclaw", input: "  " }],
    ["input[0].type", { model: "openclaw", input: [{ type: "web_search_call" }] }],
    [
      "input[0].tool_call_id",
      { model: "openclaw", input: [{ type: "function_call_output", call_id: "no", output: "x" }] },
    ],
    ["tools[0].type", { model: "openclaw", input: "x", tools: [{ type: "web_search" }] }],
    ["tool_choice", { model: "openclaw", input: "x", tool_choice: "required" }],
    ["background", { model: "openclaw", input: "x", background: true }],
    ["temperature", { model: "openclaw", input: "x", temperature: -1 }],
  ];
  for (const stream of [false, true])
    for (const [param, body] of wrong)
      await assert.rejects(
        client.responses.create({ ...body, stream } as OpenAI.Responses.ResponseCreateParams),
        (error) => error instanceof OpenAI.BadRequestError && error.param === param,
        param,
      );
});

test("@ai-sdk's client of OpenResponses speaks with it", async () => {
  const { createOpenAI } = await import("@ai-sdk/openai");
  const { generateText } = await import("ai");
  const provider = createOpenAI({ baseURL: `http://127.0.0.1:${gateway.port}/v1`, apiKey: gateway.token });
  const { text } = await generateText({ model: provider.responses("openclaw"), prompt: "hello" });
  assert.equal(text, hello);
});
