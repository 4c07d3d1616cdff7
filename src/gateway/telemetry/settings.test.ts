import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import type { Config } from "../../settings/config.ts";
import { decideTelemetry } from "./settings.ts";

type Section = Config["diagnostics"];

const decide = (section: Section, variables: Readonly<Record<string, string>> = {}) =>
  decideTelemetry(section, (name) => variables[name], "openclaw");
const on = (otel: NonNullable<NonNullable<Section>["otel"]> = {}): Section => ({
  enabled: true,
  otel: { enabled: true, ...otel },
});
const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

test("nothing is exported until the config says so twice, or the environment names a collector", () => {
  assert.deepEqual(decide(undefined), { settings: undefined, problems: [] });
  assert.deepEqual(decide({ enabled: true }), { settings: undefined, problems: [] });
  assert.deepEqual(decide(undefined, { OTEL_SERVICE_NAME: "x", OTEL_TRACES_EXPORTER: "otlp" }), {
    settings: undefined,
    problems: [],
  });
  const half = decide({ otel: { enabled: true } });
  assert.equal(half.settings, undefined);
  assert.match(half.problems[0]?.next ?? "", /diagnostics\.enabled/u);
  assert.equal(decide(on()).settings?.traces?.url, "http://localhost:4318/v1/traces");
  assert.equal(decide(undefined, collector).settings?.metrics?.url, "http://collector:4318/v1/metrics");
});

test("OTEL_SDK_DISABLED, and a config that says no, come before everything", () => {
  assert.equal(decide(on(), { OTEL_SDK_DISABLED: "TRUE" }).settings, undefined);
  assert.equal(decide({ enabled: false }, collector).settings, undefined);
  assert.equal(decide({ otel: { enabled: false } }, collector).settings, undefined);
  assert.ok(decide(on(), { OTEL_SDK_DISABLED: "false" }).settings);
});

test("an endpoint for all gets the signal's path, one of a signal's own is meant as it stands", () => {
  const rows: readonly (readonly [Record<string, string>, string | undefined, string | undefined])[] = [
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "https://c/otlp/" }, "https://c/otlp/v1/traces", "https://c/otlp/v1/metrics"],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:1" }, "http://c:1/v1/traces", "http://c:1/v1/metrics"],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c/in" }, "http://c/in", undefined],
    [
      { ...collector, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://m/" },
      "http://collector:4318/v1/traces",
      "http://m/",
    ],
  ];
  for (const [variables, traces, metrics] of rows) {
    const { settings, problems } = decide(undefined, variables);
    assert.deepEqual([settings?.traces?.url, settings?.metrics?.url, problems], [traces, metrics, []]);
  }
  // one that was copied with its path means the same
  assert.equal(decide(on({ endpoint: "http://c/v1/traces" })).settings?.metrics?.url, "http://c/v1/metrics");
});

test("what the config says comes before the variables, and a signal's own variable before the one for all", () => {
  const variables = {
    ...collector,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/protobuf",
    OTEL_EXPORTER_OTLP_HEADERS: "a=1,b=x%20y",
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: "b=own",
    OTEL_EXPORTER_OTLP_TIMEOUT: "700",
    OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
    OTEL_SERVICE_NAME: "by-variable",
    OTEL_RESOURCE_ATTRIBUTES: "service.name=by-attribute,host.name=box",
    OTEL_METRIC_EXPORT_INTERVAL: "5000",
    OTEL_TRACES_SAMPLER: "traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0.25",
  };
  const { settings } = decide(undefined, variables);
  assert.ok(settings?.traces && settings.metrics);
  const { traces, metrics, resource } = settings;
  assert.deepEqual([traces.protocol, metrics.protocol], ["http/json", "http/protobuf"]);
  assert.deepEqual(
    [traces.headers, metrics.headers],
    [
      { a: "1", b: "own" },
      { a: "1", b: "x y" },
    ],
  );
  assert.deepEqual([traces.timeoutMs, traces.isGzip, metrics.intervalMs], [700, true, 5_000]);
  assert.deepEqual(resource, { "service.name": "by-variable", "host.name": "box" });
  assert.deepEqual(traces.sampling, { root: "share", share: 0.25, isParentBased: false });

  const own = on({
    endpoint: "http://mine",
    protocol: "http/protobuf",
    headers: { a: "2" },
    serviceName: "mine",
    sampleRate: 0.5,
    flushIntervalMs: 2_000,
    metrics: true,
  });
  const mine = decide(own, { ...variables, OTEL_METRICS_EXPORTER: "none" }).settings;
  assert.ok(mine?.traces && mine.metrics);
  const { url, protocol, headers, sampling } = mine.traces;
  assert.deepEqual([url, protocol, headers], ["http://mine/v1/traces", "http/protobuf", { a: "2", b: "own" }]);
  assert.deepEqual([mine.resource["service.name"], mine.metrics.intervalMs], ["mine", 2_000]);
  assert.deepEqual(sampling, { root: "share", share: 0.5, isParentBased: true });
});

test("a signal can be left out, and nothing is left when both are", () => {
  assert.equal(decide(undefined, { ...collector, OTEL_TRACES_EXPORTER: "none" }).settings?.traces, undefined);
  assert.equal(decide(on({ metrics: false })).settings?.metrics, undefined);
  assert.equal(decide(on({ metrics: false, traces: false })).settings, undefined);
  assert.equal(decide(undefined, collector).settings?.traces?.sampling.root, "all");
});

test("what is not understood is told without what it holds, and the rest counts", () => {
  const rows: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, /gRPC is not spoken/u],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: "smoke" }, /protocol is not known/u],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, /OTEL_EXPORTER_OTLP_ENDPOINT is no address/u],
    [{ OTEL_EXPORTER_OTLP_HEADERS: "secret-word" }, /OTEL_EXPORTER_OTLP_HEADERS has an entry/u],
    [{ OTEL_EXPORTER_OTLP_HEADERS: "a=secret%0Aword" }, /no HTTP header/u],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: "soon" }, /OTEL_EXPORTER_OTLP_TIMEOUT is no number/u],
    [{ OTEL_TRACES_EXPORTER: "zipkin" }, /OTEL_TRACES_EXPORTER names an exporter/u],
    [{ OTEL_TRACES_SAMPLER: "dice" }, /OTEL_TRACES_SAMPLER names no sampler/u],
    [{ OTEL_TRACES_SAMPLER_ARG: "2" }, /no number from 0 to 1/u],
  ];
  for (const [variables, expected] of rows) {
    const { problems } = decide(undefined, { ...collector, ...variables });
    assert.match(problems[0]?.message ?? "", expected);
    assert.notEqual(problems[0]?.next, "");
    assert.doesNotMatch(JSON.stringify(problems), /secret/u);
  }
  assert.match(decide(on({ logs: true })).problems[0]?.message ?? "", /logs are not exported/u);
});

test("whatever the variables hold, there is an answer that can be used", () => {
  const names = ["ENDPOINT", "TRACES_ENDPOINT", "HEADERS", "PROTOCOL", "TIMEOUT", "COMPRESSION"].map(
    (name) => `OTEL_EXPORTER_OTLP_${name}`,
  );
  const others = [
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SERVICE_NAME",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_METRIC_EXPORT_INTERVAL",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_TRACES_EXPORTER",
  ];
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom("http://c", "https://c:1/x?y=z", "grpc", "a=b,c", "-1", "0", "1e9", "a=%", "none,otlp"),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names, ...others), value), (variables) => {
      const { settings } = decide(undefined, variables);
      for (const signal of [settings?.traces, settings?.metrics]) {
        if (!signal) continue;
        assert.match(new URL(signal.url).protocol, /^https?:$/u);
        assert.ok(signal.timeoutMs >= 1);
        // what fetch would refuse does not get there
        assert.doesNotThrow(() => new Headers(signal.headers));
      }
      if (settings?.traces) assert.ok(settings.traces.batch.maxSize <= settings.traces.batch.maxWaiting);
      if (settings?.metrics) assert.ok(settings.metrics.intervalMs >= 1_000);
    }),
  );
});
