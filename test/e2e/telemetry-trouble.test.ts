// What a collector in trouble must not disturb, what is said of it, and what does not happen while nothing is exported.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { until } from "../kit/conversation.ts";
import { freePort } from "../kit/gateway-process.ts";
import { exportAll, hasAll, openTracedGateway, type TracedGateway } from "../kit/traced-gateway.ts";

/** Milliseconds from a person's message to the first try to send its reply. */
async function answerTime({ telegram, replies }: TracedGateway): Promise<number> {
  const before = replies().length;
  const startedAt = performance.now();
  telegram.addMessage({ chatId: 7, text: "how late is it?" });
  await until(() => replies().length > before, 15_000);
  return performance.now() - startedAt;
}

const lines = ({ gateway }: TracedGateway, text: string) => gateway.output().split(text).length - 1;
const problems = async ({ gateway }: TracedGateway) => (await gateway.cli("health", "--json")).stdout;

test("a collector that hangs delays no reply and no stop, is told of once, and is no problem any more when it works", async (context) => {
  const kit = await openTracedGateway(context, {
    env: (collector) => ({ ...exportAll(collector), OTEL_EXPORTER_OTLP_TIMEOUT: "300" }),
  });
  const { collector, gateway } = kit;
  await answerTime(kit);
  await hasAll(kit, "send telegram");
  const usual = await answerTime(kit);

  collector.answer = "hang";
  const times: number[] = [];
  for (let count = 0; count < 20; count += 1) times.push(await answerTime(kit));
  const median = times.toSorted((a, b) => a - b)[10] ?? Number.POSITIVE_INFINITY;
  // an export waits 300 ms for this collector: a reply that waited for one would show it
  assert.ok(median < usual + 200, `${median} ms, ${usual} ms while it worked`);
  await until(async () => (await problems(kit)).includes("traces do not reach the collector"), 10_000);
  assert.equal(lines(kit, "traces do not reach the collector: no answer within 300 ms"), 1);
  assert.match(await problems(kit), /see whether the collector hangs/u);

  collector.answer = 200;
  await answerTime(kit);
  await until(async () => !(await problems(kit)).includes("do not reach"), 15_000);
  assert.equal(lines(kit, "traces do not reach the collector"), 1);

  collector.answer = "hang";
  await answerTime(kit);
  const stoppedAt = performance.now();
  assert.equal(await gateway.stop(), 0);
  assert.ok(performance.now() - stoppedAt < 4_000, `${performance.now() - stoppedAt} ms to stop`);
});

test("a collector that is not there, and one that wants a key, are each told of with what to do", async (context) => {
  const port = await freePort();
  const kit = await openTracedGateway(context, {
    env: (collector) => ({
      ...exportAll(collector),
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://me:planted-password@127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${collector.url}/v1/metrics`,
      OTEL_EXPORTER_OTLP_TIMEOUT: "400",
    }),
  });
  kit.collector.answer = 401;
  await answerTime(kit);
  await until(() => lines(kit, "traces do not reach the collector: ECONNREFUSED") === 1, 10_000);
  await until(() => lines(kit, "metrics do not reach the collector: it answers 401") === 1, 10_000);
  let told = "";
  // a snapshot is shared for a second
  await until(async () => (told = await problems(kit)).includes("metrics do not reach"), 10_000);
  assert.match(told, /start the collector, or mend diagnostics\.otel\.endpoint or OTEL_EXPORTER_OTLP_ENDPOINT/u);
  assert.match(told, /give it what it asks for in diagnostics\.otel\.headers or OTEL_EXPORTER_OTLP_HEADERS/u);
  assert.doesNotMatch(told + kit.gateway.output(), /planted-password/u);
});

test("what cannot be understood is a problem with a next step, and the Gateway goes on", async (context) => {
  const kit = await openTracedGateway(context, {
    env: (collector) => ({ ...exportAll(collector), OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }),
  });
  await answerTime(kit);
  assert.match(kit.gateway.output(), /gRPC is not spoken to the collector; traces are not exported/u);
  await until(
    async () => (await problems(kit)).includes("use http/protobuf, which collectors take on port 4318"),
    5_000,
  );
  assert.equal(kit.collector.connections(), 0);
});

test("while nothing is exported there is no connection; the config turns it on and off under a running Gateway", async (context) => {
  const kit = await openTracedGateway(context, { env: () => ({ OTEL_BSP_SCHEDULE_DELAY: "50" }) });
  const { collector, gateway, model } = kit;
  const file = join(gateway.folder, "state", "openclaw.json");
  const config = JSON.parse(await readFile(file, "utf8")) as object;
  const save = async (diagnostics: object) => {
    const seen = gateway.output().length;
    await writeFile(file, JSON.stringify({ ...config, diagnostics }));
    await until(() => gateway.output().slice(seen).includes("the config has changed"), 10_000);
  };
  await answerTime(kit);
  assert.equal(collector.connections(), 0);
  assert.ok(model.headers.every(({ traceparent }) => traceparent === undefined));

  const pid = gateway.pid();
  const otel = {
    enabled: true,
    endpoint: collector.url,
    headers: { "x-key": "collector-key" },
    serviceName: "mine",
    metrics: false,
  };
  await save({ enabled: true, otel });
  await until(() => gateway.output().includes(`exporting traces to ${collector.url}/v1/traces`), 10_000);
  await answerTime(kit);
  await hasAll(kit, "receive telegram", "send telegram", "turn");
  assert.equal(collector.span("turn")?.resource["service.name"], "mine");
  assert.ok(
    collector.requests.every(({ headers, path }) => headers["x-key"] === "collector-key" && path === "/v1/traces"),
  );

  await save({ enabled: true, otel: { ...otel, sampleRate: 0 } });
  await answerTime(kit);
  await save({ enabled: true, otel: { ...otel, enabled: false } });
  await until(() => gateway.output().includes("nothing is exported any more"), 10_000);
  const seen = collector.requests.length;
  await answerTime(kit);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(collector.requests.length, seen);
  assert.equal(collector.spans.filter(({ name }) => name === "receive telegram").length, 1);
  assert.equal(gateway.pid(), pid);
  assert.doesNotMatch(gateway.output(), /restarting/u);
  assert.doesNotMatch(gateway.output(), /collector-key/u);
});

test("OTEL_SDK_DISABLED turns all of it off", async (context) => {
  const kit = await openTracedGateway(context, {
    config: { diagnostics: { enabled: true, otel: { enabled: true } } },
    env: (collector) => ({ ...exportAll(collector), OTEL_SDK_DISABLED: "true" }),
  });
  await answerTime(kit);
  assert.equal(kit.collector.connections(), 0);
  assert.doesNotMatch(kit.gateway.output(), /exporting/u);
});

test("spans that wait are sent when the Gateway stops", async (context) => {
  const kit = await openTracedGateway(context, {
    env: (collector) => ({
      ...exportAll(collector),
      OTEL_BSP_SCHEDULE_DELAY: "60000",
      OTEL_METRIC_EXPORT_INTERVAL: "60000",
    }),
  });
  await answerTime(kit);
  assert.equal(kit.collector.requests.length, 0);
  assert.equal(await kit.gateway.stop(), 0);
  assert.ok(
    kit.collector.span("receive telegram") && kit.collector.span("turn") && kit.collector.span("send telegram"),
  );
  assert.ok(kit.collector.points.some(({ metric }) => metric === "gateway_turns_total"));
});
