// A real Gateway and the signals it gets: what is under way ends, clients are told first, one signal or several, and nothing is lost.
// What it cannot survive ends it with one line that says what to do.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { until } from "../kit/conversation.ts";
import {
  createGatewayProcess,
  mockProvider,
  startGatewayProcess,
  type GatewayProcess,
} from "../kit/gateway-process.ts";
import { startModelServer, type ModelServer } from "../kit/model-server.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

let telegram: FakeTelegram;
let model: ModelServer;
let gateway: GatewayProcess;
/** What the model was asked is answered when these are called. */
let held: (() => void)[];

beforeEach(async () => {
  held = [];
  telegram = await startFakeTelegram();
  model = await startModelServer(() => new Promise((resolve) => void held.push(() => resolve("done"))));
});
afterEach(async () => {
  await gateway?.dispose();
  await telegram.close();
  await model.close();
});

async function start(extra: object = {}, env: NodeJS.ProcessEnv = {}): Promise<RawClient> {
  gateway = await startGatewayProcess({
    env,
    config: {
      agents: { defaults: { model: "mock/first" } },
      models: { providers: mockProvider(model.baseUrl) },
      channels: { telegram: { botToken: telegram.token, apiRoot: telegram.apiRoot, allowFrom: [1001] } },
      ...extra,
    },
  });
  return connect();
}
async function connect(): Promise<RawClient> {
  const client = await openRawClient(gateway.port, gateway.token);
  assert.equal((await client.connect()).ok, true);
  return client;
}
const sent = () => telegram.calls.filter(({ method }) => method === "sendMessage").length;
const kill = (signal: NodeJS.Signals) => process.kill(gateway.pid(), signal);
const starts = () => gateway.output().match(/listening on ws/gu)?.length;
const says = (pattern: RegExp) => until(() => pattern.test(gateway.output()), 10_000);
const askByTelegram = async () => {
  telegram.addMessage({ chatId: 1001, text: "hello" });
  await until(() => held.length > 0, 10_000);
};

test("SIGTERM: nothing new is taken in, the turn under way ends and its reply goes out, clients are told, exit 0 (RB-22, RB-136)", async () => {
  const client = await start();
  await askByTelegram();
  const ended = gateway.stop("SIGTERM");
  await says(/received SIGTERM; shutting down/u);
  for (const method of ["agent", "chat.send", "send"]) {
    const params = { message: "more", sessionKey: "main", to: "1001", idempotencyKey: `late-${method}` };
    const { to: _to, ...forChat } = params;
    const asked =
      method === "chat.send" ? forChat : method === "send" ? { to: "1001", message: "x", idempotencyKey: "s" } : params;
    const { error } = await client.request(method, asked);
    assert.partialDeepStrictEqual(error, { code: "UNAVAILABLE", retryable: true }, method);
  }
  assert.equal((await client.request("health")).ok, true, "who only looks is answered");
  assert.ok(!client.frames.some(({ event }) => event === "shutdown"));
  held.forEach((give) => give());
  const { payload } = await client.wait(({ event }) => event === "shutdown");
  assert.deepEqual(payload, { reason: "gateway stopping" });
  assert.equal(sent(), 1, "the reply was there before the goodbye");
  assert.equal((await client.closed).code, 1012);
  assert.equal(await ended, 0);
});

test("a second SIGTERM ends the waiting, says so, and the turn goes on at the next start: one reply", async () => {
  const client = await start();
  await askByTelegram();
  const ended = gateway.stop("SIGTERM");
  await says(/received SIGTERM; shutting down/u);
  const from = performance.now();
  gateway.again("SIGINT");
  await client.wait(({ event }) => event === "shutdown");
  assert.equal(await ended, 0);
  assert.ok(performance.now() - from < 5_000);
  assert.match(gateway.output(), /received SIGINT again: turns under way are not waited for/u);
  assert.equal(sent(), 0);
  held = [];
  await gateway.start();
  await until(() => held.length === 1, 10_000);
  held.forEach((give) => give());
  await until(() => sent() === 1, 10_000);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(sent(), 1);
});

test("SIGUSR1 and SIGUSR2 are refused with a warning unless commands.restart is on (RB-23)", async () => {
  const client = await start();
  for (const signal of ["SIGUSR1", "SIGUSR2"] as const) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    kill(signal);
    await says(new RegExp(`${signal} ignored: set commands\\.restart to true`, "u"));
  }
  assert.equal((await client.request("health")).ok, true);
  assert.equal(starts(), 1);
  client.close();
});

test("SIGUSR1 to all that pgrep finds restarts the Gateway in its process, once for many signals, and SIGUSR2 does too (OV-38)", async () => {
  const client = await start({ commands: { restart: true } });
  const pid = gateway.pid();
  const { stdout } = await promisify(execFile)("pgrep", ["-f", "openclaw gateway"]);
  assert.ok(stdout.split("\n").includes(String(pid)), stdout);
  const from = performance.now();
  for (let count = 0; count < 20; count += 1) kill("SIGUSR1");
  const { payload } = await client.wait(({ event }) => event === "shutdown");
  assert.deepEqual(payload, { reason: "gateway restarting", restartExpectedMs: 2_000 });
  await until(() => starts() === 2, 10_000);
  assert.ok(performance.now() - from < 5_000);
  const again = await connect();
  assert.equal(gateway.pid(), pid);
  kill("SIGUSR2");
  await again.wait(({ event }) => event === "shutdown");
  await until(() => starts() === 3, 10_000);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(starts(), 3);
  assert.equal(await gateway.stop("SIGTERM"), 0);
});

test("a thousand signals within a second lead to one restart (R7)", async () => {
  const client = await start({ commands: { restart: true } });
  const from = performance.now();
  for (let count = 0; count < 1_000; count += 1) {
    kill(count % 2 === 0 ? "SIGUSR1" : "SIGUSR2");
    while (performance.now() - from < count * 0.4) await new Promise((resolve) => setImmediate(resolve));
  }
  await client.wait(({ event }) => event === "shutdown");
  await until(() => starts() === 2, 10_000);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.equal(starts(), 2);
  kill("SIGUSR1");
  await until(() => starts() === 3, 10_000);
});

test("SIGTERM while it restarts ends it instead", async () => {
  await start({ commands: { restart: true } });
  await askByTelegram();
  kill("SIGUSR1");
  await says(/restarting: SIGUSR1/u);
  const ended = gateway.stop("SIGTERM");
  held.forEach((give) => give());
  assert.equal(await ended, 0);
  assert.equal(starts(), 1);
  assert.equal(sent(), 1);
});

/** Errors on demand, from outside of the Gateway's own code. */
const breaker = `
process.on("SIGWINCH", () => { throw new Error("thrown by nobody"); });
process.on("SIGCONT", () => {
  const code = (name) => Object.assign(new Error("gone"), { code: name });
  Promise.reject(new TypeError("fetch failed", { cause: code("ECONNRESET") }));
  Promise.reject(new DOMException("left", "AbortError"));
  Promise.reject(new Error("a bug in one place"));
  setImmediate(() => { throw code("EPIPE"); });
});`;

test("broken connections and forgotten promises end nothing; an error that nobody caught ends it with one line and 1", async () => {
  gateway = await createGatewayProcess();
  const file = join(gateway.folder, "breaker.mjs");
  await writeFile(file, breaker);
  gateway.env["NODE_OPTIONS"] = `--import=${pathToFileURL(file).href}`;
  await gateway.start();
  const client = await connect();
  const pid = gateway.pid();
  for (let count = 0; count < 20; count += 1) {
    kill("SIGCONT");
    assert.equal((await client.request("health")).ok, true);
  }
  await says(/a bug in one place/u);
  assert.equal(gateway.pid(), pid);
  assert.equal(await gateway.stop("SIGWINCH"), 1);
  assert.equal((await client.wait(({ event }) => event === "shutdown")).payload?.["reason"], "gateway stopping");
  assert.match(gateway.output(), /\nerror: an error that nobody caught: thrown by nobody\nnext: start it again/u);
  delete gateway.env["NODE_OPTIONS"];
  await gateway.start();
});

test("a call of the system that never comes back does not keep it from ending, and is told (R14)", async () => {
  gateway = await createGatewayProcess({
    env: { NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, "..", "kit", "hanging-fs.ts"))}` },
  });
  const pipe = join(gateway.folder, "pipe");
  await promisify(execFile)("mkfifo", [pipe]);
  gateway.env["HANG_AT"] = pipe;
  await gateway.start();
  const startedAt = Date.now();
  assert.equal(await gateway.stop(), null, "killed by itself: no exit waits for such a call");
  assert.ok(Date.now() - startedAt < 10_000);
  assert.match(gateway.output(), /\[gateway\] stopped[\s\S]*a call of the system does not come back/u);
});

test("what is in the place of a folder or of the lock ends it with 1 and what to do (RB-03)", async () => {
  gateway = await createGatewayProcess();
  const state = join(gateway.folder, "state");
  const plain = join(gateway.folder, "plain");
  await writeFile(plain, "text");
  await writeFile(join(state, "config-history"), "text");
  const history = await gateway.cli("gateway");
  assert.equal(history.code, 1);
  assert.match(
    history.stderr,
    /^error: starts cannot be written down: .*\nnext: .*config-history has to be a folder: move away/u,
  );
  await rm(join(state, "config-history"));
  await rm(join(state, "gateway.lock"), { force: true });
  await writeFile(join(state, "gateway.lock"), "x".repeat(4096));
  const lock = await gateway.cli("gateway");
  assert.match(lock.stderr, /^error: cannot lock .*\nnext: it is no lock: when no Gateway runs here, move it away/u);
  Object.assign(gateway.env, { OPENCLAW_STATE_DIR: plain, OPENCLAW_CONFIG_PATH: join(state, "openclaw.json") });
  const folder = await gateway.cli("gateway");
  assert.equal(folder.code, 1);
  assert.match(folder.stderr, /^error: the state folder cannot be made: .*\nnext: .*plain has to be a folder/u);
});

test("a port or a state folder that somebody else has ends it with 1 and one line that says what to do (RB-03)", async () => {
  await start();
  const other = await createGatewayProcess({ env: { OPENCLAW_GATEWAY_PORT: String(gateway.port) } });
  try {
    await assert.rejects(other.start(), /ended \(1\):[\s\S]*error: port \d+ is in use by .*\nnext: /u);
  } finally {
    await other.dispose();
  }
  const { code, stderr } = await gateway.cli("gateway", "--port", "0");
  assert.equal(code, 1);
  assert.match(stderr, /error: another Gateway runs on this state folder \(pid \d+, port \d+\)\nnext: /u);
  const bad = await gateway.cli("gateway", "--bind", "custom");
  assert.match(bad.stderr, /error: bind custom needs gateway\.customBindHost/u);
  assert.notEqual(bad.code, 0);
});
