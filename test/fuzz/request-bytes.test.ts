// Requests at random against the real server, router and routes in this process: put together from parts that are right, wrong or in the
// wrong place, cut anywhere, changed in their bytes, or no HTTP at all. Each connection is answered or closed in time, what comes back is
// HTTP, nothing behind a body is taken for a request, nothing breaks, nothing grows (T16). FUZZ_SEED and FUZZ_REQUESTS replay a run.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import type { Route } from "../../src/ports/route.ts";
import { mutateBytes } from "../kit/bad-frames.ts";
import { openServerKit, secret, type ServerKit } from "../kit/gateway-server.ts";
import { createRandom, type Random } from "../kit/random.ts";
import { openRawClient } from "../kit/raw-client.ts";

const requests = Number(process.env["FUZZ_REQUESTS"] ?? 4_000);
const seed = Number(process.env["FUZZ_SEED"] ?? 20_262);
const atOnce = 24;
/** For one connection whose sender has said all it has to say. */
const deadlineMs = 10_000;
const maxGrowthBytes = 16 * 1024 * 1024;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** In a body: whoever reads past the body's beginning or end takes it for a request. */
const trapOf = (id: number) => `GET /trap?${id} HTTP/1.1\r\nhost: a\r\n\r\n`;
const trapped = new Set<number>();
let bodyBytes = 0;
const route = (name: string, parts: Partial<Route>): Route => ({
  name,
  matches: (path) => path === `/${name}`,
  example: () => `/${name}`,
  methods: ["POST"],
  access: { scope: "operator.write" },
  isEnabled: () => true,
  maxBodyBytes: () => 50_000,
  async answer(request, reply) {
    bodyBytes += (await request.body()).byteLength;
    reply.json(200, { ok: true });
  },
  ...parts,
});
const routes = [
  route("echo", {}),
  route("json", { answer: async (request, reply) => reply.json(200, { body: await request.json() }) }),
  // answers before it has read, and never reads
  route("hasty", { answer: async (_request, reply) => reply.json(200, {}) }),
  route("stream", {
    methods: ["GET"],
    access: "open",
    async answer(_request, reply) {
      const stream = reply.stream(200, { "content-type": "text/plain" });
      for (let piece = 0; piece < 5; piece += 1) await stream.write("x".repeat(1_000));
      stream.end();
    },
  }),
  route("trap", {
    methods: ["GET"],
    access: "open",
    async answer({ query }, reply) {
      trapped.add(Number([...query.keys()][0]));
      reply.json(200, {});
    },
  }),
];

const pick = <T>(random: Random, list: readonly T[]): T => {
  const one = list[random(list.length)];
  assert.ok(one !== undefined);
  return one;
};

/** The right one seven times of eight. */
const mostly = <T>(random: Random, right: T, others: readonly T[]): T => (random(8) > 0 ? right : pick(random, others));

const methods = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "", "G\0T"];
const targets = [
  "/hasty",
  "/stream",
  "/healthz",
  "/",
  "/%",
  "/%00",
  "/../..",
  "//",
  "*",
  "http://a/echo",
  `/?${"q".repeat(9_000)}`,
];
const versions = ["1.0", "0.9", "2.0", "1.1 ", "x"];
const loose = [
  `authorization: Bearer ${secret}`,
  "authorization: Bearer wrong",
  "authorization: \xff\xfe",
  "host: b",
  "origin: https://evil.example",
  "origin: null",
  "connection: close",
  "connection: keep-alive, x",
  "connection: upgrade\r\nupgrade: websocket",
  "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
  "upgrade: h2c",
  "expect: 100-continue",
  "expect: x",
  "content-type: application/json",
  "content-encoding: gzip",
  "range: bytes=0-1,5-",
  "x-forwarded-for: 203.0.113.9",
  "te: trailers",
  "trailer: x",
  " folded",
  "no colon",
  ": empty",
  "x y: space",
  `x: ${"y".repeat(12_000)}`,
  "user-agent: Mozilla/5.0",
  "__proto__: 1",
  "constructor: 1",
];

/** What stands for the body, and how long it says it is. `isTight`: nothing in it can be a request of its own. */
function createBody(random: Random, trap: string): { headers: string[]; body: string; isTight: boolean } {
  const plain = pick(random, [
    "",
    "{}",
    '{"a":1}',
    "[".repeat(500),
    "\xff\xfe",
    trap,
    `${trap}${trap}`,
    "x".repeat(60_000),
  ]);
  const chunks = `${plain.length.toString(16)}\r\n${plain}\r\n`;
  const chunked = plain === "" ? "0\r\n\r\n" : `${chunks}0\r\n\r\n`;
  const length = `content-length: ${plain.length}`;
  const inChunks = "transfer-encoding: chunked";
  switch (random(14)) {
    case 0:
      return { headers: [inChunks, length], body: chunked, isTight: true };
    case 1:
      return { headers: [length, `content-length: ${plain.length + 1}`], body: plain, isTight: true };
    case 2:
      return { headers: [inChunks], body: `${plain.length}\n${plain}`, isTight: false };
    case 3:
      return { headers: ["transfer-encoding: gzip, x"], body: plain, isTight: true };
    case 4: {
      const pieces = Array.from(plain.slice(0, 300), (sign) => `1\r\n${sign}\r\n`);
      return { headers: [inChunks], body: `${pieces.join("")}0\r\n\r\n`, isTight: true };
    }
    case 5:
      return { headers: [`content-length: ${plain.length + random(50)}`], body: plain, isTight: true };
    case 6:
    case 7:
    case 8:
      return { headers: [inChunks], body: chunked, isTight: true };
    default:
      return { headers: [length], body: plain, isTight: true };
  }
}

interface Made {
  readonly id: number;
  readonly bytes: Buffer;
  readonly isTight: boolean;
}

let lastId = 0;

function createRequest(random: Random): Made {
  const id = ++lastId;
  const { headers, body, isTight } = createBody(random, trapOf(id));
  const all = random(20) === 0 ? [] : ["host: a", ...(random(5) > 0 ? [`authorization: Bearer ${secret}`] : [])];
  for (let count = Math.max(0, random(4) - 1); count > 0; count -= 1)
    all.splice(random(all.length + 1), 0, pick(random, loose));
  all.splice(random(all.length + 1), 0, ...headers);
  const method = mostly(random, "POST", methods);
  const target = mostly(random, random(3) > 0 ? "/echo" : "/json", targets);
  const head = `${method} ${target} HTTP/${mostly(random, "1.1", versions)}\r\n${all.join("\r\n")}\r\n\r\n`;
  return { id, bytes: Buffer.from(head + body, "latin1"), isTight };
}

function createBytes(random: Random): Made {
  const made = createRequest(random);
  switch (random(8)) {
    case 0:
      return { ...made, bytes: mutateBytes(made.bytes, random), isTight: false };
    case 1:
      return { ...made, bytes: made.bytes.subarray(0, random(made.bytes.length)) };
    case 2:
      return { ...made, bytes: Buffer.from(Array.from({ length: random(2_000) }, () => random(256))) };
    case 3:
      return { ...made, bytes: Buffer.concat([made.bytes, createRequest(random).bytes]) };
    default:
      return made;
  }
}

/** Sends it in one piece or in several, and says that this was all. Resolves with what came back once the connection is closed. */
function exchange(kit: ServerKit, bytes: Buffer, random: Random): Promise<string> {
  const cut = random(4) === 0 ? random(bytes.length + 1) : bytes.length;
  const breaksOff = random(20) === 0;
  return new Promise((resolve, reject) => {
    const socket = connect({ port: kit.port, host: "127.0.0.1", allowHalfOpen: false });
    let back = "";
    socket.on("error", () => undefined);
    socket.on("data", (data: Buffer) => {
      back += data.toString("latin1");
    });
    const timer = setTimeout(() => reject(new Error(`neither answered nor closed: ${back.slice(0, 200)}`)), deadlineMs);
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(back);
    });
    socket.write(bytes.subarray(0, cut));
    setTimeout(() => {
      if (breaksOff) socket.destroy();
      else socket.end(bytes.subarray(cut));
    }, random(3));
  });
}

const known = new Set([100, 101, 200, 400, 401, 403, 404, 405, 408, 413, 417, 426, 429, 431]);

function checkAnswers(back: string, bytes: Buffer): void {
  const told = () =>
    `${JSON.stringify(bytes.toString("latin1").slice(0, 500))} -> ${JSON.stringify(back.slice(0, 300))}`;
  assert.ok(back === "" || /^HTTP\/1\.1 \d{3} /u.test(back), told());
  for (const [, status] of back.matchAll(/^HTTP\/1\.1 (\d{3})/gmu)) assert.ok(known.has(Number(status)), told());
}

function memory(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test(`${requests} requests at random are answered or closed, and break nothing (seed ${seed})`, async (context) => {
  const kit = await openServerKit({ handlers: { health: async () => "fine" }, routes });
  context.after(() => kit.stop());
  const witness = await openRawClient(kit.port, secret);
  assert.equal((await witness.connect()).ok, true);
  const random = createRandom(seed);
  const counts = new Map<string, number>();
  let first = 0;
  for (let done = 0; done < requests; done += atOnce) {
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        const { id, bytes, isTight } = createBytes(random);
        const back = await exchange(kit, bytes, random);
        checkAnswers(back, bytes);
        assert.ok(!(isTight && trapped.has(id)), `read past a body: ${JSON.stringify(bytes.toString("latin1"))}`);
        const status = /^HTTP\/1\.1 (\d{3})/u.exec(back)?.[1] ?? "closed";
        counts.set(status, (counts.get(status) ?? 0) + 1);
      }),
    );
    if (done % (atOnce * 20) === 0) assert.equal((await witness.request("health")).payload, "fine");
    witness.frames.length = 0;
    if (done <= requests / 4) first = memory();
  }
  const grown = memory() - first;
  context.diagnostic(`${JSON.stringify([...counts].toSorted())}; ${bodyBytes} bytes read; ${grown} bytes more`);
  assert.equal((await fetch(`http://127.0.0.1:${kit.port}/healthz`)).status, 200);
  assert.deepEqual(
    kit.lines.filter((line) => line.startsWith("error")),
    [],
  );
  assert.ok(bodyBytes > 0 && (counts.get("200") ?? 0) > 0, "some of them were right");
  assert.ok(grown < maxGrowthBytes, `${grown} bytes more`);
});
