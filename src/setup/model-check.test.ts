import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { LLMock } from "@copilotkit/aimock";

import { startModelServer, type ModelServer } from "../../test/kit/model-server.ts";
import { systemClock } from "../base/clock.ts";
import { createEgress } from "../platform/egress.ts";
import { checkModel, type ModelCheckMeans } from "./model-check.ts";

const egress = createEgress({ clock: systemClock });
const mock = new LLMock({ port: 0 });
let server: ModelServer;
let says: string | number = "ok";
before(async () => {
  mock.onMessage(/./u, { content: "ok" });
  await mock.start();
  server = await startModelServer(() => says);
});
after(async () => {
  await mock.stop();
  await server.close();
  egress.close();
});

const means = (changes: Partial<ModelCheckMeans> = {}): ModelCheckMeans => ({
  fetch: egress.fetch,
  clock: systemClock,
  providers: {},
  env: () => undefined,
  ...changes,
});

test("a key is tried with one real request, in each provider's own form", async () => {
  for (const [provider, model, path] of [
    ["openai", "gpt-5.2", "/v1"],
    ["anthropic", "claude-opus-4-5", "/v1"],
    ["google", "gemini-2.5-pro", "/v1beta"],
    ["ollama", "llama3.2", "/v1"],
  ] as const) {
    const asked = mock.getRequests().length;
    const ref = `${provider}/${model}`;
    const answer = { ref, provider, apiKey: "good", baseUrl: `${mock.url}${path}` };
    assert.deepEqual(await checkModel(answer, means()), { isOk: true, who: ref });
    assert.equal(mock.getRequests().length, asked + 1, provider);
  }
});

test("what the config and the environment hold counts, and the answer goes before it", async () => {
  const providers = { ollama: { baseUrl: "http://127.0.0.1:9/v1" } };
  const ref = "ollama/m";
  says = "ok";
  assert.equal(
    (await checkModel({ ref, provider: "ollama", baseUrl: server.baseUrl }, means({ providers }))).isOk,
    true,
  );
  const here = { ollama: { baseUrl: server.baseUrl } };
  assert.equal((await checkModel({ ref, provider: "ollama" }, means({ providers: here }))).isOk, true);
  const openai = { openai: { baseUrl: `${mock.url}/v1` } };
  const env = (name: string) => (name === "OPENAI_API_KEY" ? "good" : undefined);
  assert.equal(
    (await checkModel({ ref: "openai/gpt", provider: "openai" }, means({ providers: openai, env }))).isOk,
    true,
  );
});

test("what does not work is told in our words with the next step, never with the key", async () => {
  const ask = async (status: number) => {
    says = status;
    const answer = { ref: "custom/m", provider: "custom", apiKey: "canary-key", baseUrl: server.baseUrl };
    const result = await checkModel(answer, means());
    assert.ok(!result.isOk);
    assert.doesNotMatch(JSON.stringify(result), /canary-key|secret detail/u);
    assert.notEqual(result.next, "");
    return result.reason;
  };
  assert.equal(await ask(401), "custom/m: the provider refuses the API key (HTTP 401)");
  assert.equal(await ask(404), "custom/m: the provider does not know this model (HTTP 404)");
  assert.match(await ask(503), /has trouble/u);
  const nobody = await checkModel({ ref: "custom/m", provider: "custom", baseUrl: "http://127.0.0.1:9/v1" }, means());
  assert.ok(!nobody.isOk && /cannot be reached/u.test(nobody.reason));
  const keyless = await checkModel({ ref: "openai/gpt", provider: "openai" }, means());
  assert.deepEqual(keyless, {
    isOk: false,
    reason: "no API key for openai",
    next: "set OPENAI_API_KEY or models.providers.openai.apiKey",
  });
});

test("a server that never answers is given up", async () => {
  const hanging: ModelCheckMeans["fetch"] = () => new Promise(() => undefined);
  const answer = { ref: "custom/m", provider: "custom", baseUrl: server.baseUrl };
  const result = await checkModel(answer, means({ fetch: hanging, timeoutMs: 50 }));
  assert.ok(!result.isOk && /no answer within 50 ms/u.test(result.reason));
});
