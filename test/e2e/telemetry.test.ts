// A real Gateway and a real collector: one trace from a message to the delivery of its reply, over crashes too.

import assert from "node:assert/strict";
import { test } from "node:test";

import { until } from "../kit/conversation.ts";
import {
  ancestors,
  answerOnce,
  exportAll,
  hasAll,
  openTracedGateway as openKit,
  type TracedGateway,
} from "../kit/traced-gateway.ts";

const sentWithKey: typeof exportAll = (collector) => ({
  ...exportAll(collector),
  OTEL_SERVICE_NAME: "my-gateway",
  OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=home,place=attic%2Cleft",
  OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20collector-key",
  OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
});

async function complete({ gateway }: TracedGateway, headers: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(`http://127.0.0.1:${gateway.port}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: "openclaw", messages: [{ role: "user", content: "how late is it?" }] }),
  });
}

test("a message is one trace from its arrival over turn, model and tool to the delivery", async (context) => {
  const kit = await openKit(context, { env: sentWithKey });
  const { collector, telegram, model } = kit;
  telegram.addMessage({ chatId: 7, text: "how late is it?" });
  const whole = [
    "receive telegram",
    "turn",
    "queue",
    "invoke_agent main",
    "execute_tool session_status",
    "send telegram",
  ];
  await hasAll(kit, ...whole);

  const span = (name: string) => {
    const found = collector.span(name);
    assert.ok(found, name);
    return found;
  };
  const calls = collector.spans.filter(({ name }) => name === "chat test-model");
  assert.equal(calls.length, 2);
  assert.equal(collector.spans.length, whole.length + calls.length);
  assert.equal(new Set(collector.spans.map(({ traceId }) => traceId)).size, 1);
  assert.equal(span("receive telegram").parentSpanId, "");
  assert.deepEqual(ancestors(kit, span("turn")), ["receive telegram"]);
  assert.deepEqual(ancestors(kit, span("queue")), ["turn", "receive telegram"]);
  assert.deepEqual(ancestors(kit, span("send telegram")), ["turn", "receive telegram"]);
  for (const inner of [...calls, span("execute_tool session_status")])
    assert.deepEqual(ancestors(kit, inner), ["invoke_agent main", "turn", "receive telegram"]);

  assert.deepEqual(
    ["receive telegram", "turn", "chat test-model", "send telegram"].map((name) => span(name).kind),
    [5, 1, 3, 4],
  );
  const { attributes } = span("chat test-model");
  assert.equal(attributes["gen_ai.operation.name"], "chat");
  assert.equal(attributes["gen_ai.provider.name"], "mock");
  assert.equal(attributes["gen_ai.request.model"], "test-model");
  assert.equal(typeof attributes["gen_ai.usage.input_tokens"], "number");
  assert.equal(span("execute_tool session_status").attributes["gen_ai.tool.name"], "session_status");
  assert.equal(span("send telegram").attributes["gateway.outcome"], "sent");
  assert.equal(span("send telegram").attributes["gateway.attempt"], 1);
  assert.ok(collector.spans.every(({ isError }) => !isError));
  for (const { name, parentSpanId, startMs, endMs } of collector.spans) {
    const parent = collector.spans.find(({ spanId }) => spanId === parentSpanId);
    assert.ok(startMs <= endMs && startMs >= (parent?.startMs ?? 0) - 1, name);
  }
  const { resource } = span("turn");
  assert.equal(resource["service.name"], "my-gateway");
  assert.equal(resource["deployment.environment"], "home");
  assert.equal(resource["place"], "attic,left");
  // the provider's server was named by the owner: it may go on with the trace
  const ids = calls.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`);
  assert.deepEqual(model.headers.map(({ traceparent }) => traceparent).toSorted(), ids.toSorted());
});

test("the figures of /metrics go with it, of the same names", async (context) => {
  const kit = await openKit(context, { env: sentWithKey });
  const { collector, telegram } = kit;
  telegram.addMessage({ chatId: 7, text: "how late is it?" });
  const point = (metric: string, labels: object) =>
    collector.points.findLast(
      (known) =>
        known.metric === metric && Object.entries(labels).every(([key, value]) => known.attributes[key] === value),
    );
  await until(() => point("gateway_sends_total", { outcome: "sent" })?.value === 1, 5_000);
  assert.equal(point("gateway_sends_total", {})?.kind, "sum");
  assert.equal(point("gateway_model_calls_total", { provider: "mock", outcome: "ok" })?.value, 2);
  const turns = point("gateway_turn_seconds", {});
  assert.deepEqual([turns?.kind, turns?.unit, turns?.value], ["histogram", "s", 1]);
  assert.equal(turns?.counts.length, (turns?.bounds.length ?? 0) + 1);
  assert.equal(
    turns?.counts.reduce((sum, count) => sum + count, 0),
    1,
  );
  assert.equal(point("gateway_channel_up", { channel: "telegram" })?.kind, "gauge");
  for (const { headers, contentType } of collector.requests) {
    assert.equal(headers.authorization, "Bearer collector-key");
    assert.equal(headers["content-encoding"], "gzip");
    assert.equal(contentType, "application/x-protobuf");
  }
});

test("a caller's own trace goes on over HTTP when the caller is known, and only then", async (context) => {
  const kit = await openKit(context, {
    env: (collector) => ({
      ...exportAll(collector),
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_METRICS_EXPORTER: "none",
    }),
  });
  const { collector, gateway } = kit;
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  assert.equal((await complete(kit, { traceparent })).status, 401);
  const authorization = `Bearer ${gateway.token}`;
  const answer = await complete(kit, { traceparent, authorization });
  assert.equal(answer.status, 200, await answer.text());
  const server = "POST chat-completions";
  await until(() => collector.spans.some(({ kind }) => kind === 2), 15_000);
  const served = collector.span(server);
  assert.equal(served?.parentSpanId, "b7ad6b7169203331");
  assert.equal(served?.attributes["http.response.status_code"], 200);
  const call = collector.span("chat test-model");
  assert.deepEqual(ancestors(kit, call), ["invoke_agent main", "turn", "receive client", server]);
  assert.deepEqual([...new Set(collector.spans.map((span) => span.traceId))], [traceId]);

  // nonsense is no trace; and one that was not chosen stays unseen, with all that it leads to
  const before = collector.spans.length;
  assert.equal((await complete(kit, { traceparent: `00-${traceId}-b7ad6b7169203331-00`, authorization })).status, 200);
  assert.equal((await complete(kit, { traceparent: "00-zz", authorization })).status, 200);
  await until(() => collector.spans.filter(({ name }) => name === "receive client").length === 2, 15_000);
  const later = collector.spans.slice(before);
  assert.equal(new Set(later.map((span) => span.traceId)).size, 1);
  assert.notEqual(later[0]?.traceId, traceId);
  assert.ok(
    collector.requests.every(({ path, contentType }) => path === "/v1/traces" && contentType === "application/json"),
  );
});

test("after kill -9 between the reply and its delivery, the delivery belongs to the same trace", async (context) => {
  const kit = await openKit(context);
  const { collector, telegram, gateway } = kit;
  telegram.react = ({ method }) => (method === "sendMessage" ? { hang: true } : undefined);
  telegram.addMessage({ chatId: 7, text: "how late is it?" });
  await until(() => kit.replies().length === 1, 15_000);
  await hasAll(kit, "turn");
  await gateway.stop("SIGKILL");
  assert.equal(collector.span("send telegram"), undefined);

  telegram.react = () => undefined;
  await gateway.start();
  await hasAll(kit, "send telegram");
  const sent = collector.span("send telegram");
  assert.equal(sent?.traceId, collector.span("receive telegram")?.traceId);
  assert.deepEqual(ancestors(kit, sent), ["turn", "receive telegram"]);
  assert.equal(sent?.attributes["gateway.attempt"], 2);
  assert.equal(sent?.attributes["gateway.was_unknown"], true);
  assert.equal(sent?.attributes["gateway.outcome"], "sent");
  // two lives of the Gateway are told apart
  const lives = [sent, collector.span("turn")].map((span) => span?.resource["service.instance.id"]);
  assert.equal(new Set(lives).size, 2);
});

test("a turn that kill -9 cut off goes on in the same trace", async (context) => {
  const kit = await openKit(context);
  const { collector, telegram, model, gateway } = kit;
  const held = Promise.withResolvers<void>();
  model.answer = async (call) => {
    await held.promise;
    return answerOnce(call);
  };
  telegram.addMessage({ chatId: 7, text: "how late is it?" });
  await until(() => model.calls.length === 1, 15_000);
  await hasAll(kit, "receive telegram", "queue");
  await gateway.stop("SIGKILL");
  held.resolve();
  await gateway.start();
  await hasAll(kit, "send telegram", "turn");
  assert.deepEqual(ancestors(kit, collector.span("turn")), ["receive telegram"]);
  assert.equal(collector.span("turn")?.attributes["gateway.attempt"], 2);
  assert.deepEqual(ancestors(kit, collector.span("send telegram")), ["turn", "receive telegram"]);
});
