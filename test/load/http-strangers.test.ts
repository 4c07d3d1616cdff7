// A real Gateway while others wear it out over HTTP (S25, T17): slow uploads, bodies without end, half requests. Its clients wait no
// longer, and its memory stays. Rounds with and without the attack take turns, so that a busy machine counts for both. Larger by
// HTTP_STREAM_MB (of each stream), HTTP_STREAM_MB_PER_S and HTTP_HALF_OPEN.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { after, before, test, type TestContext } from "node:test";

import { maxSilentPerAddress } from "../../src/gateway/limits.ts";
import { percentile } from "../kit/crowd.ts";
import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { readFigures, type Figures } from "../kit/process-figures.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";
import { openStrangers, type StrangersOrder, type StrangersReport } from "../kit/strangers.ts";

const streamMb = Number(process.env["HTTP_STREAM_MB"] ?? 600);
/** A line of one gigabit a second. */
const streamMbPerSecond = Number(process.env["HTTP_STREAM_MB_PER_S"] ?? 125);
const halfOpen = Number(process.env["HTTP_HALF_OPEN"] ?? 2_000);
const slowUploads = 500;
const rounds = 3;
const calls = 400;
/** What a call may take longer meanwhile: neighbours on this machine are in it, a Gateway that waits for strangers is not. */
const most = { times: 4, ms: 20 };
/** In one round; and over all of them, with the garbage of those before that the engine has not looked for yet. */
const mostMb = { once: 20, inAll: 40 };
const path = "/v1/chat/completions";

// what is held in memory can be asked of Linux alone
const skip = process.platform === "linux" ? false : "needs /proc";

let gateway: GatewayProcess;
let client: RawClient;
before(async () => {
  if (skip !== false) return;
  gateway = await createGatewayProcess({
    config: { gateway: { mode: "local", http: { endpoints: { chatCompletions: { enabled: true } } } } },
  });
  await gateway.start();
  client = await openRawClient(gateway.port, gateway.token);
  assert.equal((await client.connect()).ok, true);
  // what a first call loads is no part of what is measured
  for (let call = 0; call < 20; call += 1) assert.equal(await post("{"), 400);
  for (let round = 0; round < 5; round += 1) await measure();
});
after(() => gateway?.dispose());

async function post(body: string): Promise<number> {
  const headers = { authorization: `Bearer ${gateway.token}` };
  return (await fetch(`http://127.0.0.1:${gateway.port}${path}`, { method: "POST", headers, body })).status;
}

/** Ms that 99 of 100 calls take at most, one after the other: half of them over the socket, half over HTTP. */
async function measure(): Promise<number> {
  const times: number[] = [];
  for (let call = 0; call < calls; call += 1) {
    const startedAt = performance.now();
    if (call % 2 === 0) assert.equal((await client.request("health", {})).ok, true);
    else assert.equal((await fetch(`http://127.0.0.1:${gateway.port}/healthz`)).status, 200);
    times.push(performance.now() - startedAt);
  }
  client.frames.length = 0;
  return percentile(times, 0.99);
}

const figures = () => readFigures(gateway.pid());
const socketsOf = ({ descriptors }: Figures) => descriptors["socket"] ?? 0;

interface Seen {
  /** Of the last round. */
  last: StrangersReport;
  highestMb: number;
  /** In one round. */
  moreMb: number;
  highestSockets: number;
  sentMb: number;
}

/** @throws unless the clients are served as in the rounds without the attack, and the memory stays. */
async function withstand(context: TestContext, order: StrangersOrder): Promise<Seen> {
  const [quiet, loud]: number[][] = [[], []];
  const firstMb = (await figures()).residentMb;
  const seen: Seen = {
    last: { open: 0, opened: 0, sentMb: 0, statuses: {} },
    highestMb: 0,
    moreMb: 0,
    highestSockets: 0,
    sentMb: 0,
  };
  for (let round = 0; round < rounds; round += 1) {
    quiet?.push(await measure());
    const restingMb = (await figures()).residentMb;
    let highest = restingMb;
    const strangers = openStrangers();
    try {
      await strangers.order(order);
      await pause(500);
      do {
        loud?.push(await measure());
        const now = await figures();
        highest = Math.max(highest, now.residentMb);
        seen.highestSockets = Math.max(seen.highestSockets, socketsOf(now));
        seen.last = await strangers.order({ kind: "report" });
      } while (order.kind === "pour" && seen.last.sentMb < order.mb);
      seen.sentMb += seen.last.sentMb;
      seen.highestMb = Math.max(seen.highestMb, highest);
      seen.moreMb = Math.max(seen.moreMb, highest - restingMb);
    } finally {
      await strangers.end();
    }
  }
  const [base = 0, during = 0] = [quiet, loud].map((times) => percentile(times ?? [], 0.5));
  const { opened, statuses } = seen.last;
  context.diagnostic(
    `p99 ${base.toFixed(1)} -> ${during.toFixed(1)} ms; ${firstMb} -> ${seen.highestMb} MB, ${seen.moreMb} in one round; ${Math.round(seen.sentMb)} MB sent; at last ${opened} connections, answers ${JSON.stringify(statuses)}`,
  );
  assert.ok(during < Math.max(base * most.times, base + most.ms), `p99 ${base} -> ${during} ms`);
  assert.ok(seen.moreMb <= mostMb.once, `${seen.moreMb} MB in one round`);
  assert.ok(seen.highestMb - firstMb <= mostMb.inAll, `${firstMb} -> ${seen.highestMb} MB`);
  return seen;
}

const head = (token: string, length: string) =>
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n${length}\r\n\r\n`;

for (const who of ["the right", "no"] as const) {
  const token = () => (who === "no" ? "" : gateway.token);

  test(`S25: five hundred slow uploads with ${who} credential cost others nothing`, { skip }, async (context) => {
    const { last } = await withstand(context, {
      kind: "hold",
      port: gateway.port,
      count: slowUploads,
      heads: [head(token(), "content-length: 1000000")],
      isStubborn: true,
      everyMs: 200,
    });
    if (who === "no") assert.deepEqual(Object.keys(last.statuses), ["401"]);
    else assert.equal(last.open, slowUploads, "they were there");
  });

  test(
    `S25: a stream without end with ${who} credential is cut off, however often it comes again`,
    { skip },
    async (context) => {
      const { last, sentMb } = await withstand(context, {
        kind: "pour",
        port: gateway.port,
        heads: [head(token(), "transfer-encoding: chunked")],
        piece: `10000\r\n${"x".repeat(65_536)}\r\n`,
        mb: streamMb / rounds,
        mbPerSecond: streamMbPerSecond,
      });
      assert.deepEqual(Object.keys(last.statuses), [who === "no" ? "401" : "413"]);
      assert.ok(sentMb >= streamMb, `${sentMb} MB`);
    },
  );
}

test("S25: who uploads a few bytes a second is told that it took too long, and is closed", { skip }, async () => {
  const strangers = openStrangers();
  try {
    const heads = [head(gateway.token, "content-length: 1000000")];
    const { port } = gateway;
    await strangers.order({ kind: "hold", port, count: slowUploads, heads, isStubborn: false, everyMs: 200 });
    let report: StrangersReport;
    do {
      await pause(200);
      report = await strangers.order({ kind: "report" });
    } while (report.open > 0);
    assert.deepEqual(report.statuses, { 408: slowUploads });
  } finally {
    await strangers.end();
  }
});

test("T17: thousands of half requests keep nobody out, and leave no socket behind", { skip }, async (context) => {
  const sockets = async () => socketsOf(await figures());
  const atFirst = await sockets();
  const { last, highestSockets } = await withstand(context, {
    kind: "hold",
    port: gateway.port,
    count: halfOpen,
    heads: ["", `POST ${path} HTTP/1.1\r\nhost: a\r\nx-slow: `],
    isStubborn: true,
    everyMs: 1_000,
  });
  assert.ok(last.opened >= halfOpen);
  assert.ok(highestSockets <= atFirst + maxSilentPerAddress + 50, `${highestSockets} sockets`);
  for (let waited = 0; waited < 50 && (await sockets()) > atFirst + 2; waited += 1) await pause(100);
  assert.ok((await sockets()) <= atFirst + 2, `${atFirst} -> ${await sockets()} sockets`);
});
