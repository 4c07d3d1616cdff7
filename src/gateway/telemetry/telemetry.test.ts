import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock, systemClock, type Clock } from "../../base/clock.ts";
import { silentLog, type Log } from "../../base/log.ts";
import type { Config } from "../../settings/config.ts";
import { createTelemetry, type TelemetryDependencies } from "./telemetry.ts";
import { createTrouble } from "./trouble.ts";

function listen(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log: Log = {
    ...silentLog,
    warn: (line) => lines.push(line),
    info: (line) => lines.push(line),
    child: () => log,
  };
  return { log, lines };
}

interface Sent {
  readonly url: string;
  readonly body: string;
}

function openKit(answer: () => Promise<Response>, clock: Clock = systemClock) {
  const sent: Sent[] = [];
  let section: Config["diagnostics"];
  const { log, lines } = listen();
  const fetch: TelemetryDependencies["fetch"] = async (url, init) => {
    sent.push({ url: String(url), body: Buffer.from(init?.body as Uint8Array).toString() });
    return answer();
  };
  const telemetry = createTelemetry({
    clock,
    log,
    fetch,
    version: "1",
    instanceId: "life",
    product: "openclaw",
    figures: async () => [{ name: "a_total", help: "h", type: "counter", samples: [{ value: 3 }] }],
    section: () => section,
    variable: () => undefined,
    onProblems: () => undefined,
  });
  const use = (otel: NonNullable<Config["diagnostics"]>["otel"]) => {
    section = { enabled: true, otel };
    return telemetry.apply();
  };
  return { telemetry, sent, lines, use };
}

const never = () => new Promise<Response>(() => undefined);
const taken = async () => new Response("{}", { status: 200 });
const deadline = new AbortController().signal;
const json = { enabled: true, protocol: "http/json" as const };

test("while it is off spans lead nowhere, and a change to where they go loses none that has begun", async () => {
  const { telemetry, sent, use } = openKit(taken);
  await telemetry.start();
  assert.equal(telemetry.beginSpan("early").context, undefined);
  assert.equal(telemetry.isTracing(), false);

  await use({ ...json, endpoint: "http://one" });
  const begun = telemetry.beginSpan("begun");
  telemetry.beginSpan("ended", { parent: begun.context }).end();
  await use({ ...json, endpoint: "http://two" });
  telemetry.beginSpan("later", { parent: begun.context }).end();
  await telemetry.stop(deadline);
  const traces = sent.filter(({ url }) => url.endsWith("/v1/traces"));
  assert.deepEqual(
    traces.map(({ url, body }) => [new URL(url).host, /"name":"(ended|later)"/u.exec(body)?.[1]]),
    [
      ["one", "ended"],
      ["two", "later"],
    ],
  );
  const [, traceId] = /^00-([0-9a-f]{32})-[0-9a-f]{16}-01$/u.exec(begun.context ?? "") ?? [];
  assert.ok(traceId && traces.every(({ body }) => body.includes(traceId)));
  begun.end();
});

test("a parent that cannot be read begins a new trace, and whatever a span is given it does not throw", async () => {
  const { telemetry, use } = openKit(taken);
  await use({ ...json, metrics: false });
  for (const parent of ["", "00-", `00-${"0".repeat(32)}-${"0".repeat(16)}-01`, "ff-x", `${"a".repeat(10_000)}`]) {
    const span = telemetry.beginSpan("s".repeat(10_000), {
      parent,
      attributes: { a: undefined, b: "x".repeat(10_000) },
    });
    assert.match(span.context ?? "", /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/u);
    span.end({ error: "word" });
    span.end();
  }
  await telemetry.stop(deadline);
});

test("a stop gives a collector that hangs two seconds, and no more", async () => {
  const { telemetry, sent, use } = openKit(never);
  await use(json);
  telemetry.beginSpan("waiting").end();
  const startedAt = performance.now();
  await telemetry.stop(deadline);
  assert.ok(sent.length >= 1);
  const ms = performance.now() - startedAt;
  assert.ok(ms > 1_500 && ms < 3_000, `${ms} ms`);
});

test("more spans than there is room for cost no memory", async () => {
  const { telemetry, sent, use } = openKit(never);
  await use({ ...json, metrics: false });
  for (let count = 0; count < 20_000; count += 1) telemetry.beginSpan("flood").end();
  await telemetry.stop(deadline);
  const spans = sent.reduce((sum, { body }) => sum + body.split('"name":"flood"').length - 1, 0);
  assert.ok(spans > 0 && spans <= 2_048 + 512, `${spans} spans`);
});

test("trouble is told of once in ten minutes however often it comes and goes, and known at any time", async () => {
  const clock = createManualClock();
  const { log, lines } = listen();
  let changes = 0;
  const trouble = createTrouble({ clock, log, onChange: () => (changes += 1) });
  const problem = { message: "ECONNREFUSED", next: "start it" };
  for (let count = 0; count < 5; count += 1) {
    trouble.note("traces", problem);
    trouble.note("traces", problem);
    assert.deepEqual(trouble.problems(), [
      { message: "traces do not reach the collector: ECONNREFUSED", next: "start it" },
    ]);
    trouble.note("traces", undefined);
    assert.deepEqual(trouble.problems(), []);
    await clock.advance(60_000);
  }
  assert.equal(lines.length, 1);
  assert.equal(changes, 10);
  await clock.advance(600_000);
  trouble.note("traces", problem);
  assert.equal(lines.length, 2);
});
