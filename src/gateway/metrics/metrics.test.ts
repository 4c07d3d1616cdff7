import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { openServerKit, secret } from "../../../test/kit/gateway-server.ts";
import { parsePage } from "../../../test/kit/prometheus.ts";
import { createManualClock, systemClock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { Model, ModelEvent, ModelRequest } from "../../ports/model.ts";
import { createCounter, createHistogram } from "./instruments.ts";
import { createMetrics } from "./metrics.ts";
import { createMetricsRoute } from "./route.ts";
import { readFigures } from "./state.ts";
import { renderPage } from "./text.ts";

test("whatever a label holds, the page can be parsed and gives it back", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ unit: "binary", maxLength: 90 }), fc.nat()), { maxLength: 20 }),
      (entries) => {
        const counter = createCounter({ name: "things_total", help: "a\nhelp \\ text", labels: ["what"] });
        const expected = new Map<string, number>();
        for (const [what, amount] of entries) {
          counter.add({ what }, amount);
          expected.set(what, (expected.get(what) ?? 0) + amount);
        }
        const { samples } = parsePage(renderPage([counter.family()]));
        assert.deepEqual(new Map(samples.map(({ labels, value }) => [labels["what"], value])), expected);
      },
    ),
  );
});

test("a histogram's buckets hold what is at most their bound", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { minLength: 1 }), (values) => {
      const bounds = [0.5, 1, 10];
      const histogram = createHistogram({ name: "time_seconds", help: "h", labels: ["kind"] }, bounds);
      for (const value of values) histogram.observe({ kind: "a" }, value);
      const page = parsePage(renderPage([histogram.family()]));
      for (const bound of bounds) {
        const below = values.filter((value) => value <= bound).length;
        assert.equal(page.sum("time_seconds_bucket", { le: String(bound) }), below);
      }
      assert.equal(page.sum("time_seconds_count", { kind: "a" }), values.length);
    }),
  );
});

test("a flood of label values is bounded and nothing is lost from the sum", () => {
  const counter = createCounter({ name: "things_total", help: "h", labels: ["what"] });
  for (let index = 0; index < 5_000; index += 1) counter.add({ what: String(index) });
  counter.add({ what: "0" }, 10);
  const page = parsePage(renderPage([counter.family()]));
  assert.equal(page.samples.length, 401);
  assert.equal(page.sum("things_total"), 5_010);
  assert.equal(page.sum("things_total", { what: "0" }), 11);
  assert.equal(page.sum("things_total", { what: "other" }), 4_600);
});

test("model calls are counted by how they end, and what nobody waited for is not a failure", async () => {
  const metrics = createMetrics(createManualClock());
  const controller = new AbortController();
  const usage = { input: 5, output: 7, cacheRead: 1, cacheWrite: 0, totalTokens: 13 };
  const play = async (event: ModelEvent, signal = new AbortController().signal) => {
    const model: Model = {
      provider: "p",
      id: "m",
      contextWindow: 1,
      maxOutputTokens: 1,
      async *stream() {
        yield { type: "text", delta: "x" };
        yield event;
      },
    };
    const request = { signal } as ModelRequest;
    for await (const _event of metrics.measureModel(model).stream(request));
  };
  await play({ type: "end", usage, stopReason: "stop" });
  await play({ type: "failed", failure: "key", reason: "no" });
  controller.abort();
  await play({ type: "failed", failure: "bug", reason: "aborted" }, controller.signal);
  const page = parsePage(renderPage(metrics.families()));
  for (const outcome of ["ok", "key", "left"])
    assert.equal(page.sum("gateway_model_calls_total", { provider: "p", outcome }), 1, outcome);
  assert.equal(page.sum("gateway_model_tokens_total", { kind: "output" }), 7);
});

test("strangers' methods and paths make no series, and waiting is not slowness", () => {
  const metrics = createMetrics(createManualClock());
  metrics.httpAnswered({ route: "none", method: "BREW", status: 404, ms: 3 });
  const fault = new Fault("unknown_method", "no");
  metrics.requestAnswered({ method: undefined, fault, ms: 1, isWaiting: false });
  metrics.requestAnswered({ method: "agent.wait", ms: 60_000, isWaiting: true });
  const page = parsePage(renderPage(metrics.families()));
  assert.equal(page.sum("gateway_http_requests_total", { method: "other", route: "none", status: "404" }), 1);
  assert.equal(page.sum("gateway_requests_total", { method: "unknown", outcome: "unknown_method" }), 1);
  assert.equal(page.sum("gateway_requests_total", { method: "agent.wait", outcome: "ok" }), 1);
  assert.equal(page.sum("gateway_request_seconds_count", { method: "agent.wait" }), 0);
});

test("the page is for those who show the secret, and comes without what a broken database knows", async (context) => {
  const state = {
    clock: systemClock,
    version: '1.2"3',
    overview: { work: () => Promise.reject(new Error("disk")) },
    channels: () => [],
    disk: () => undefined,
    connections: () => [],
    isDraining: () => false,
  };
  const route = createMetricsRoute(() => readFigures(createMetrics(systemClock), state));
  const kit = await openServerKit({ routes: [route] });
  context.after(() => kit.stop());
  const url = `http://127.0.0.1:${kit.port}/metrics`;
  assert.equal((await fetch(url)).status, 401);
  const response = await fetch(url, { headers: { authorization: `Bearer ${secret}` } });
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const page = parsePage(await response.text());
  assert.equal(page.sum("gateway_database_up"), 0);
  assert.equal(page.sum("gateway_info", { version: '1.2"3' }), 1);
  assert.equal(page.types.has("gateway_outbox"), false);
});
