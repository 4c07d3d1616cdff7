// A real Gateway with a crowd: everybody gets every event, and those who read slowly cost the others nothing (T14, T15). What is asserted here
// holds on a busy machine, too; `npm run bench` has the exact figures.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";

import { openCrowd, percentile, typicalP99, type Crowd } from "../kit/crowd.ts";
import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { connectParams, openRawClient, type RawClient } from "../kit/raw-client.ts";

interface Load {
  readonly gateway: GatewayProcess;
  readonly crowd: Crowd;
  readonly url: string;
  /** Posts a note about a device, which goes to every client; resolves when the Gateway has taken it. */
  mark(marker: number): Promise<void>;
  readonly admin: RawClient;
}

async function setUp(context: TestContext, processes: number): Promise<Load> {
  const gateway = await createGatewayProcess();
  const crowd = openCrowd(processes);
  context.after(async () => {
    await crowd.close();
    await gateway.dispose();
  });
  await gateway.start();
  const admin = await openRawClient(gateway.port, gateway.token);
  assert.equal((await admin.connect({ client: { id: "cli", version: "1", platform: "linux", mode: "cli" } })).ok, true);
  return {
    gateway,
    crowd,
    admin,
    url: `ws://127.0.0.1:${gateway.port}`,
    async mark(marker) {
      const text = `load marker ${marker} ${process.hrtime.bigint()}`;
      assert.equal((await admin.request("system-event", { text, deviceId: "load" })).ok, true);
    },
  };
}

const params = (gateway: GatewayProcess) =>
  connectParams(gateway.token, {
    client: { id: "gateway-client", version: "1", platform: "linux", mode: "cli" },
    scopes: ["operator.read"],
  });

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resident memory, MB; undefined where there is no way to tell. */
function residentMb(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** Open files that a process may have; the Gateway needs one for each client. */
function maxFiles(): number {
  if (process.platform !== "linux") return Infinity;
  return Number(/^Max open files +\S+ +(\d+)/mu.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? Infinity);
}

test("a thousand clients at once: all are let in, and each gets each of the events, none missing", async (context) => {
  if (maxFiles() < 1_100) return context.skip(`this machine allows ${maxFiles()} open files a process`);
  const { gateway, crowd, url, mark } = await setUp(context, 4);
  const startedAt = performance.now();
  await crowd.open(1_000, { url, params: params(gateway) });
  const openMs = performance.now() - startedAt;
  const markers = [1, 2, 3, 4, 5, 6, 7, 8];
  for (const marker of markers) {
    await mark(marker);
    await crowd.seen(marker, 1_000);
  }
  const reports = await crowd.reports();
  const latencies = reports.flatMap((report) => markers.flatMap((marker) => report.markers[marker] ?? []));
  const memory = residentMb(gateway.pid());
  context.diagnostic(
    `connected in ${Math.round(openMs)} ms; fan-out p50 ${percentile(latencies, 0.5).toFixed(1)} ms, p99 ${percentile(latencies, 0.99).toFixed(1)} ms; ${memory?.toFixed(0)} MB`,
  );
  assert.equal(
    reports.reduce((sum, { connected }) => sum + connected, 0),
    1_000,
  );
  assert.ok(reports.every(({ holes }) => holes === 0));
  assert.deepEqual(
    reports.map(({ closes }) => closes),
    [{}, {}, {}, {}],
  );
  assert.equal(latencies.length, 1_000 * markers.length, "each client saw each marker once");
  assert.ok((memory ?? 0) < 250, `${memory} MB`);
  return undefined;
});

const slowEach = 34;
const slow = 3 * slowEach;
/** A megabyte unread, half of one in the event that was on its way then, and what the collector has not taken back yet. */
const perSlowMb = 4;
const bulk = 40;

test("a hundred of five hundred clients read one KB a second: neither the others nor the memory feel it", async (context) => {
  const { gateway, crowd, url, mark, admin } = await setUp(context, 3);
  const fill = (text: string) =>
    Promise.all(
      Array.from({ length: 180 }, (_, device) =>
        admin.request("system-event", { text: `device ${device} ${text}`, deviceId: `device-${device}` }),
      ),
    );
  await crowd.open(slow, { url, params: params(gateway) });
  await crowd.slowDown(slowEach, 1_024);
  const memoryBefore = residentMb(gateway.pid()) ?? 0;
  // half a megabyte an event, until the system's own buffers are full, and then for as long again
  await fill("€".repeat(990));
  for (let marker = 1; marker <= bulk; marker += 1) {
    await mark(marker);
    await pause(105);
  }
  const memoryDuring = residentMb(gateway.pid()) ?? 0;
  await fill("small");

  await crowd.open(500 - slow, { url, params: params(gateway) });
  const measure = async (from: number, count: number, receivers: number) => {
    for (let marker = from; marker < from + count; marker += 1) {
      await mark(marker);
      await crowd.seen(marker, receivers);
      await pause(105);
    }
    return typicalP99(await crowd.reports(), numbersFrom(from, count));
  };
  await measure(100, 5, 500 - slow);
  const during = await measure(200, 15, 500 - slow);
  await crowd.resume();
  await mark(300);
  await crowd.seen(300, 500);
  const after = await measure(400, 15, 500);

  const reports = await crowd.reports();
  const seenBySlow = reports.flatMap(({ markers }) =>
    numbersFrom(1, bulk).flatMap((marker) => markers[marker] ?? []),
  ).length;
  const ratio = during / after;
  context.diagnostic(
    `p99 of the others ${during.toFixed(1)} ms, x ${ratio.toFixed(2)} of all reading; ${memoryBefore.toFixed(0)} -> ${memoryDuring.toFixed(0)} MB; slow ones got ${seenBySlow} of ${bulk * slow} big events`,
  );
  assert.ok(seenBySlow < bulk * slow, "what a later event makes up for is left out");
  assert.ok(
    reports.every(({ holes }) => holes === 0),
    "and nobody sees a hole, slow or fast",
  );
  assert.deepEqual(
    reports.map(({ closes }) => closes),
    [{}, {}, {}],
    "nor is closed",
  );
  assert.ok(ratio < 5, `p99 of the others is ${ratio} times what it is when all read`);
  assert.ok(memoryDuring - memoryBefore < slow * perSlowMb, `${memoryBefore} -> ${memoryDuring} MB`);
});

const numbersFrom = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
