// Requests that mean two things, too much or nothing, against a real Gateway process: each is refused in its way or answered once, what is
// hidden behind it is not answered, and the next client is served as ever.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";

import { percentile } from "../kit/crowd.ts";
import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient } from "../kit/raw-client.ts";

let gateway: GatewayProcess;
before(async () => {
  gateway = await startGatewayProcess();
});
after(() => gateway?.dispose());

/** The statuses that come back on one connection until it ends, at the latest after `waitMs`. */
async function statuses(text: string, waitMs = 1_500): Promise<number[]> {
  const socket = connect(gateway.port, "127.0.0.1");
  socket.on("error", () => undefined);
  let back = "";
  socket.on("data", (data: Buffer) => {
    back += data.toString("latin1");
  });
  socket.write(text, "latin1");
  const timer = setTimeout(() => socket.destroy(), waitMs);
  // being reset is an end, too
  await new Promise((resolve) => socket.once("close", resolve));
  clearTimeout(timer);
  return [...back.matchAll(/^HTTP\/1\.1 (\d{3})/gmu)].map(([, status]) => Number(status));
}
const checkAlive = async () =>
  assert.equal((await fetch(`http://127.0.0.1:${gateway.port}/healthz`)).status, 200, gateway.output().slice(-500));

/** Answered with 200 wherever it is taken for a request. */
const hidden = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
const get = (headers: string, target = "/healthz") => `GET ${target} HTTP/1.1\r\n${headers}\r\n\r\n`;
const post = (headers: string, body: string) =>
  `POST /tools/invoke HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${gateway.token}\r\n${headers}\r\n\r\n${body}`;

/** One refusal, or a connection that just ends. */
async function checkRefused(name: string, text: string): Promise<void> {
  const seen = await statuses(text);
  assert.ok(seen.length <= 1 && seen.every((status) => status >= 400), `${name}: ${seen.join()}`);
}

test("a request whose length can be read in two ways is refused, and nothing behind it is answered", async () => {
  for (const headers of [
    "content-length: 5\r\ntransfer-encoding: chunked",
    "transfer-encoding: chunked\r\ncontent-length: 5",
    "content-length: 5\r\ncontent-length: 6",
    "content-length: 5\r\ncontent-length: 5",
    "content-length: 5, 6",
    "content-length: +5",
    "content-length: 0x5",
    "content-length: -1",
    "content-length: 5 5",
    "content-length: 99999999999999999999",
    "content-length : 5",
    "transfer-encoding: xchunked",
    "transfer-encoding: chunked, identity",
    "transfer-encoding: identity, chunked\r\ntransfer-encoding: identity",
    "transfer-encoding : chunked",
    "transfer-encoding:\r\n\tchunked\r\ncontent-length: 5",
    "transfer-encoding: \x0bchunked",
    "content-length: 5\r\n x: folded",
  ])
    await checkRefused(headers, post(headers, `0\r\n\r\n${hidden}`));
  await checkAlive();
});

test("chunks that are no chunks end the request, and nothing behind them is answered", async () => {
  const chunked = (body: string) => post("transfer-encoding: chunked", `${body}\r\n${hidden}`);
  for (const body of [
    "zz\r\nx\r\n0\r\n",
    "-1\r\nx\r\n0\r\n",
    "0x5\r\nhello\r\n0\r\n",
    "fffffffffffffffff\r\nx",
    "5\r\nhello!\r\n0\r\n",
    "5 \r\nhello\r\n0\r\n",
    "\r\n0\r\n",
    `5;${"x".repeat(20_000)}\r\nhello\r\n0\r\n`,
    "5\nhello\n0\n",
  ])
    await checkRefused(JSON.stringify(body.slice(0, 40)), chunked(body));
  await checkAlive();
});

test("requests that are none of ours, or that another reader would understand otherwise, are refused", async () => {
  const host = "host: a";
  for (const [name, text] of [
    ["no host", get("x: 1")],
    ["two hosts", get("host: a\r\nHost: b")],
    ["two credentials", get(`${host}\r\nauthorization: Bearer a\r\nauthorization: Bearer b`, "/metrics")],
    ["two origins", get(`${host}\r\norigin: http://a\r\norigin: http://b`)],
    ["a space in a name", get(`${host}\r\nx y: 1`)],
    ["a name of nothing", get(`${host}\r\n: 1`)],
    ["a zero byte", get(`${host}\r\nx: a\0b`)],
    ["a bare line feed", get(`${host}\nx: 1`)],
    ["a folded line", get(`${host}\r\nx: 1\r\n 2`)],
    ["HTTP/0.9", "GET /healthz\r\n"],
    ["HTTP/0.9 as HTTP", "GET /healthz HTTP/0.9\r\n\r\n"],
    ["HTTP/2 by hand", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["HTTP/1.2", "GET /healthz HTTP/1.2\r\nhost: a\r\n\r\n"],
    ["a proxy's form", get(host, "http://127.0.0.1/healthz")],
    ["a proxy's form, elsewhere", get(host, "http://169.254.169.254/latest/meta-data/")],
    ["another scheme", get(host, "file:///etc/passwd")],
    ["no path", get(host, "healthz")],
    ["a star", `OPTIONS * HTTP/1.1\r\n${host}\r\n\r\n`],
    ["CONNECT", `CONNECT 127.0.0.1:22 HTTP/1.1\r\n${host}\r\n\r\n`],
    ["TRACE", `TRACE /healthz HTTP/1.1\r\n${host}\r\n\r\n`],
    ["a method in small letters", `get /healthz HTTP/1.1\r\n${host}\r\n\r\n`],
    ["a method of a stranger", `GETX /healthz HTTP/1.1\r\n${host}\r\n\r\n`],
    ["an unknown expectation", get(`${host}\r\nexpect: 200-ok`)],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["SSH", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["SOCKS", "\x05\x01\x00"],
  ] as const)
    await checkRefused(name, text);
  await checkAlive();
});

test("an upgrade to something else, by another method, or where nobody takes it, is refused and closed", async () => {
  const upgrade = (
    to: string,
    target = "/",
    extra = "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
  ) => `${target} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: ${to}\r\n${extra}\r\n\r\n${hidden}`;
  for (const text of [
    `GET ${upgrade("h2c")}`,
    `GET ${upgrade("tls/1.2")}`,
    `GET ${upgrade("websocket", "/", "sec-websocket-version: 1")}`,
    `GET ${upgrade("websocket", "/", "sec-websocket-version: 13")}`,
    `GET ${upgrade("websocket", "http://elsewhere/")}`,
    `GET ${upgrade("websocket", "/__openclaw__/ws")}`,
    `POST ${upgrade("websocket")}`,
    `GET ${upgrade("websocket", "/", "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\norigin: https://evil.example")}`,
  ]) {
    const seen = await statuses(text);
    assert.ok(seen.length <= 1 && seen.every((status) => status >= 400), `${text.slice(0, 80)}: ${seen.join()}`);
  }
  await checkAlive();
});

test("requests in a row on one connection are answered in their order", async () => {
  const seen = await statuses(`${hidden}GET /v1/nope HTTP/1.1\r\nhost: a\r\n\r\n`.repeat(25));
  assert.deepEqual(
    seen,
    Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? 200 : 404)),
  );
});

test("headers, their number and a URL beyond measure are refused with 431 before they are held", async () => {
  const count = (headers: number) =>
    get(`host: a\r\n${Array.from({ length: headers }, (_, index) => `x${index}: 1`).join("\r\n")}`);
  assert.deepEqual(await statuses(count(150)), [200]);
  for (const text of [
    get(`host: a\r\nx: ${"x".repeat(100_000)}`),
    get("host: a", `/healthz?${"x".repeat(1_000_000)}`),
    count(300),
    count(1_500),
    count(10_000),
    // a proxy would add its mark behind all others
    count(1_200).replace("\r\n\r\n", "\r\nx-forwarded-for: 203.0.113.7\r\n\r\n"),
  ])
    assert.deepEqual(await statuses(text), [431], `${text.slice(0, 40)}, ${text.length}`);
  await checkAlive();
});

test("who says half a request, or half a body, is told that it took too long", async () => {
  const [head, body] = await Promise.all([
    statuses("GET /healthz HTTP/1.1\r\nhost: a\r\nx: ", 20_000),
    statuses(post("content-length: 100", "{"), 20_000),
  ]);
  assert.deepEqual([head, body], [[408], [408]]);
});

// last: it slows down its own address for a while
test("two thousand requests in one breath end their connection, and who calls meanwhile does not wait for them", async () => {
  const client = await openRawClient(gateway.port, gateway.token);
  assert.equal((await client.connect()).ok, true);
  let isOver = false;
  let floods = 0;
  const flood = async () => {
    for (; !isOver; floods += 1) assert.deepEqual(await statuses(hidden.repeat(2_000)), []);
  };
  const ask = async (forMs: number) => {
    const times: number[] = [];
    for (const endsAt = performance.now() + forMs; performance.now() < endsAt;) {
      const startedAt = performance.now();
      assert.equal((await client.request("health")).ok, true);
      times.push(performance.now() - startedAt);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return percentile(times, 0.5);
  };
  const quiet = await ask(500);
  const flooding = Promise.all([flood(), flood(), flood(), flood()]);
  const loud = await ask(3_000);
  isOver = true;
  await flooding;
  client.close();
  // answering them all would take a tenth of a second for each; on a machine that is busy with other things all takes its time
  assert.ok(loud < Math.max(50, 10 * quiet), `${loud} ms, without them ${quiet} ms`);
  assert.ok(floods >= 2);
});
