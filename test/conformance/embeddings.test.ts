// The published client asks for embeddings through a real Gateway; the providers behind it are played by a local model server.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { LLMock } from "@copilotkit/aimock";
import OpenAI from "openai";

import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";

const mock = new LLMock({ port: 0 });
let gateway: GatewayProcess;
let client: OpenAI;
before(async () => {
  mock.onEmbedding("fail", { error: { message: "no", type: "invalid_request_error" }, status: 400 });
  await mock.start();
  const provider = (api: string, path: string) => ({ baseUrl: `${mock.url}${path}`, apiKey: "k", api });
  gateway = await startGatewayProcess({
    config: {
      gateway: { mode: "local", http: { endpoints: { chatCompletions: { enabled: true } } } },
      agents: {
        defaults: { model: "mock/m", timeoutSeconds: 20 },
        list: [
          { id: "main", default: true },
          { id: "named", model: "vendor/gpt-5.2" },
          { id: "gemini", model: "google/gemini-2.5-pro" },
          { id: "claude", model: "anthropic/claude-opus-4-5" },
          { id: "demo", model: "offline/demo" },
        ],
      },
      models: {
        providers: {
          mock: provider("openai-completions", "/v1"),
          vendor: provider("openai-responses", "/v1"),
          google: provider("google-generative-ai", "/v1beta"),
          anthropic: { apiKey: "k" },
        },
      },
    },
  });
  client = new OpenAI({ baseURL: `http://127.0.0.1:${gateway.port}/v1`, apiKey: gateway.token, maxRetries: 0 });
});
after(async () => {
  await gateway?.dispose();
  await mock.stop();
});

const named = (model: string) => ({ headers: { "x-openclaw-model": model } });
const lastBody = () => JSON.stringify(mock.getRequests().at(-1)?.body);

test("openai: embeddings as floats and as base64 are the same numbers, in the order of the texts, with their usage", async () => {
  const input = ["one", "two", "three"];
  const ask = { model: "openclaw", input };
  const floats = await client.embeddings.create({ ...ask, encoding_format: "float" }, named("mock/embedder"));
  assert.deepEqual([floats.object, floats.model, floats.data.length], ["list", "mock/embedder", 3]);
  assert.deepEqual(
    floats.data.map(({ index, object }) => [index, object]),
    [0, 1, 2].map((index) => [index, "embedding"]),
  );
  assert.equal(typeof floats.usage.total_tokens, "number");
  // the client asks for base64 by itself and turns it back
  const packed = await client.embeddings.create(ask, named("mock/embedder"));
  for (const [index, { embedding }] of packed.data.entries())
    assert.deepEqual([...embedding], [...Float32Array.from(floats.data[index]?.embedding ?? [])]);
  assert.notDeepEqual(floats.data[0]?.embedding, floats.data[1]?.embedding);
  const single = await client.embeddings.create({ model: "openclaw", input: "two" }, named("embedder"));
  assert.deepEqual(single.data[0]?.embedding, packed.data[1]?.embedding);
});

test("openai: dimensions reach the provider, and the numbers are as many", async () => {
  const ask = { input: "hello", dimensions: 24 };
  const { data } = await client.embeddings.create({ model: "openclaw", ...ask }, named("mock/embedder"));
  assert.equal(data[0]?.embedding.length, 24);
  const vendor = await client.embeddings.create({ model: "openclaw/named", ...ask });
  assert.deepEqual([vendor.model, vendor.data[0]?.embedding.length], ["vendor/text-embedding-3-small", 24]);
  assert.match(lastBody(), /text-embedding-3-small/u);
  const google = await client.embeddings.create({ model: "openclaw/gemini", ...ask });
  assert.deepEqual([google.model, google.data.length], ["google/gemini-embedding-001", 1]);
  assert.match(lastBody(), /gemini-embedding-001/u);
});

test("openai: a provider without embeddings, and one whose model is not known, say so with 400", async () => {
  for (const [model, why] of [
    ["openclaw", /x-openclaw-model/u],
    ["openclaw/claude", /anthropic has no embeddings/u],
    ["openclaw/demo", /offline has no embeddings/u],
  ] as const) {
    await assert.rejects(
      client.embeddings.create({ model, input: "x" }),
      (error) => error instanceof OpenAI.BadRequestError && why.test(error.message),
    );
  }
  await assert.rejects(client.embeddings.create({ model: "openclaw", input: "x" }, named("nobody/x")), /nobody/u);
});

test("openai: what is no text is refused with its field; what the provider refuses is an error of its own", async () => {
  const refused = async (body: object, field: RegExp) =>
    assert.rejects(
      client.post("/embeddings", { body: { model: "openclaw", ...body }, ...named("mock/embedder") }),
      (error) => error instanceof OpenAI.BadRequestError && field.test(String(error.param)),
    );
  await refused({}, /^input$/u);
  await refused({ input: "" }, /^input$/u);
  await refused({ input: [] }, /^input$/u);
  await refused({ input: ["a", [1, 2]] }, /^input\[1\]$/u);
  await refused({ input: Array.from({ length: 2_049 }, () => "x") }, /^input$/u);
  await refused({ input: "x", encoding_format: "hex" }, /^encoding_format$/u);
  await refused({ input: "x", dimensions: 0 }, /^dimensions$/u);
  await assert.rejects(
    client.embeddings.create({ model: "openclaw", input: "fail" }, named("mock/embedder")),
    (error) => error instanceof OpenAI.APIError && (error.status ?? 0) >= 500 && /HTTP 400/u.test(error.message),
  );
});
