import assert from "node:assert/strict";
import { test } from "node:test";

import { createModelViews } from "./model-views.ts";
import type { ModelSettings } from "./models.ts";

const settings: ModelSettings = {
  defaults: { model: "local/small" },
  providers: {
    local: {
      baseUrl: "http://127.0.0.1:1/v1",
      models: [
        { id: "small", contextWindow: 8_000 },
        { id: "priced", cost: { input: 3, output: 15, cacheRead: 0.3 } },
        { id: "broken", cost: { input: "3", output: 15 } },
      ],
    },
  },
  env: () => undefined,
};
const views = (defaults: Partial<ModelSettings["defaults"]> = {}) =>
  createModelViews(() => ({ ...settings, defaults: { ...settings.defaults, ...defaults } }));

test("a model is shown with its window; one that cannot be used is not", () => {
  assert.deepEqual(views().viewModel(undefined), { provider: "local", model: "small", contextWindow: 8_000 });
  assert.equal(views().viewModel("local/priced")?.model, "priced");
  assert.equal(views().viewModel("nobody/x"), undefined);
  assert.equal(views().viewModel("x"), undefined);
});

test("a call has a price only where the config says so; cached input has its own", () => {
  const usage = { input: 1_000_000, output: 100_000, cacheRead: 400_000, cacheWrite: 100_000, totalTokens: 1_100_000 };
  // 500,000 new and 100,000 written at 3, 400,000 read at 0.3, 100,000 out at 15
  assert.ok(Math.abs((views().priceOf("local", "priced", usage) ?? 0) - (1.8 + 0.12 + 1.5)) < 1e-9);
  for (const model of ["small", "broken", "unknown"]) assert.equal(views().priceOf("local", model, usage), undefined);
  assert.equal(views().priceOf("nobody", "priced", usage), undefined);
});

test("a model is named in full, by its id with the default provider, or by an alias", () => {
  const named = views({ models: { "local/priced": { alias: "Good" }, "local/small": {} } });
  assert.deepEqual(named.resolveModel("local/small"), { ref: "local/small" });
  assert.deepEqual(named.resolveModel("priced"), { ref: "local/priced" });
  assert.deepEqual(named.resolveModel(" good "), { ref: "local/priced" });
  assert.deepEqual(named.resolveModel("offline/demo"), { ref: "offline/demo" });
  for (const [text, reason] of [
    ["local/other", /agents\.defaults\.models/u],
    ["/", /agents\.defaults\.models/u],
  ] as const) {
    const refused = named.resolveModel(text);
    assert.match("reason" in refused ? refused.reason : "", reason);
  }
  assert.deepEqual(views().resolveModel("local/other"), { ref: "local/other" });
  for (const text of ["nobody/x", "/x", "local/", "anthropic/x"])
    assert.ok("reason" in views().resolveModel(text), text);
});

test("the default model is that of the agent where it has its own", () => {
  const own = { ...settings, defaults: { ...settings.defaults, model: "offline/demo" } };
  const both = createModelViews((agentId) => (agentId === "second" ? own : settings));
  assert.equal(both.viewModel(undefined, "second")?.provider, "offline");
  assert.notEqual(both.viewModel(undefined, "main")?.provider, "offline");
  assert.deepEqual(both.viewModel(undefined), both.viewModel(undefined, "main"));
});
