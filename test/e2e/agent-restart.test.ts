// The agent's `gateway` tool in a real Gateway: a restart comes after the reply and is told once, also when the process is killed in
// between; guests do not have the tool, and keys that matter for security are closed to it (R15, S11).

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { mockProvider, startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { startModelServer, type ModelCall, type ModelServer, type ToolCallAnswer } from "../kit/model-server.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

const owner = 1001;
const guest = 2002;
let telegram: FakeTelegram;
let model: ModelServer;
let gateway: GatewayProcess;
/** What the model calls when it is asked; then it says what came of it. */
let call: ToolCallAnswer | undefined;

beforeEach(async () => {
  telegram = await startFakeTelegram();
  call = undefined;
  model = await startModelServer(({ messages }) => {
    const last = messages.at(-1);
    if (last?.role === "tool") return `It said: ${JSON.stringify(last.content).slice(0, 300)}`;
    return call ?? "plain words";
  });
  gateway = await startGatewayProcess({
    config: {
      commands: { restart: true },
      agents: { defaults: { model: "mock/first" } },
      models: { providers: mockProvider(model.baseUrl) },
      channels: {
        telegram: {
          botToken: telegram.token,
          apiRoot: telegram.apiRoot,
          dmPolicy: "open",
          allowFrom: [owner, "*"],
        },
      },
    },
  });
});
afterEach(async () => {
  await gateway.dispose();
  await telegram.close();
  await model.close();
});

const file = () => join(gateway.folder, "state", "openclaw.json");
const sends = () => telegram.calls.filter(({ method }) => method === "sendMessage");
const texts = () => sends().map(({ body }) => String(body["text"]));
const starts = () => gateway.output().match(/listening on ws/gu)?.length ?? 0;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const toolsOf = (asked: ModelCall | undefined) => (asked?.tools ?? []).map((tool) => tool.function.name);
const restart = (args: object = {}): ToolCallAnswer => ({ tool: "gateway", args: { action: "restart", ...args } });
async function connect(): Promise<RawClient> {
  const client = await openRawClient(gateway.port, gateway.token);
  assert.equal((await client.connect()).ok, true);
  return client;
}
/** Sends it and resolves once there are so many answers. */
async function ask(chatId: number, answers: number): Promise<string> {
  telegram.addMessage({ chatId, text: "do it" });
  await until(() => texts().length >= answers, 10_000);
  return texts()[answers - 1] ?? "";
}

test("a restart that the agent asks for comes after its reply is delivered, in the same process, and is told once (OV-39, OV-40)", async () => {
  const [pid, client] = [gateway.pid(), await connect()];
  call = restart({ delayMs: 0, reason: "new voice", note: "Say hello again." });
  let isRestarting = false;
  telegram.react = ({ method }) => {
    if (method === "sendMessage" && texts().length === 1)
      isRestarting = client.frames.some(({ event }) => event === "shutdown");
    return undefined;
  };
  assert.match(await ask(owner, 1), /It said: .*"ok":true/u);
  await client.wait(({ event }) => event === "shutdown");
  assert.equal(isRestarting, false);
  await until(() => texts().length === 2, 10_000);
  assert.equal(texts()[1], "The Gateway has restarted.\n\nSay hello again.");
  assert.match(gateway.output(), /restarting: new voice/u);
  assert.deepEqual([starts(), gateway.pid()], [2, pid]);

  call = undefined;
  await ask(owner, 3);
  assert.match(JSON.stringify(model.calls.at(-1)?.messages), /done: do not ask for it again/u);
  assert.equal(await gateway.stop("SIGTERM"), 0);
  await gateway.start();
  await pause(500);
  assert.deepEqual([texts().length, starts()], [3, 3], "not told again, not done again");
});

test("the reply cannot go out: the restart waits; killed then, the reply goes out, and the restart is told once and not done again", async () => {
  call = restart({ delayMs: 0 });
  telegram.react = ({ method }) =>
    method === "sendMessage" ? { error: { error_code: 500, description: "later" } } : undefined;
  telegram.addMessage({ chatId: owner, text: "do it" });
  await until(() => sends().length > 0, 10_000);
  await pause(1_000);
  assert.equal(starts(), 1);
  await gateway.stop("SIGKILL");
  telegram.react = () => undefined;
  const failed = sends().length;
  await gateway.start();
  await until(() => sends().length === failed + 2, 20_000);
  const [reply, notice] = texts().slice(failed);
  assert.match(reply ?? "", /It said: .*"ok":true/u);
  assert.equal(notice, "The Gateway has restarted.");
  await pause(2_500);
  assert.deepEqual([sends().length, starts()], [failed + 2, 2]);
});

test("whoever is not the owner neither has the tool nor may call it", async () => {
  call = restart();
  assert.match(await ask(guest, 1), /There is no tool gateway/u);
  assert.deepEqual(toolsOf(model.calls[0]), ["session_status", "message", "canvas"]);
  call = undefined;
  await ask(owner, 2);
  assert.ok(toolsOf(model.calls.at(-1)).includes("gateway"));

  const admin = await connect();
  const writer = await openRawClient(gateway.port, gateway.token);
  await writer.connect({ scopes: ["operator.write", "operator.read"] });
  for (const [client, has] of [
    [admin, true],
    [writer, false],
  ] as const) {
    const key = `as-${has}`;
    const count = model.calls.length;
    await client.request("agent", { message: "hi", idempotencyKey: key, sessionKey: key });
    await until(() => model.calls.length > count, 5_000);
    assert.equal(toolsOf(model.calls.at(-1)).includes("gateway"), has);
    client.close();
  }
  assert.equal(starts(), 1);
});

test("without commands.restart the agent is told who can allow it, and an update is not for it to run", async () => {
  const text = JSON.parse(await readFile(file(), "utf8")) as object;
  await writeFile(file(), JSON.stringify({ ...text, commands: {} }));
  await until(() => /the config has changed/u.test(gateway.output()), 5_000);
  call = restart();
  assert.match(await ask(owner, 1), /switched off.*set commands\.restart to true/u);
  call = { tool: "gateway", args: { action: "update.run" } };
  assert.match(await ask(owner, 2), /does not update itself.*gateway install --force/u);
  await pause(300);
  assert.equal(starts(), 1);
});

test("the agent sees the config without secrets, changes how it sounds, and nothing that matters for security", async () => {
  call = { tool: "gateway", args: { action: "config.get" } };
  await ask(owner, 1);
  const shown = JSON.stringify(model.calls.at(-1)?.messages.at(-1));
  assert.match(shown, /__OPENCLAW_REDACTED__/u);
  assert.ok(!shown.includes(telegram.token));
  const hash = /hash\W+([0-9a-f]{64})/u.exec(shown)?.[1];

  const before = await readFile(file(), "utf8");
  const closed = [
    "{ gateway: { auth: { token: 'mine-0123456789' } } }",
    "{ channels: { telegram: { allowFrom: ['*'] } } }",
    "{ commands: null }",
    "{ models: { providers: { mock: { baseUrl: 'http://evil.test/v1' } } } }",
    "{ messages: { responsePrefix: '${OPENCLAW_GATEWAY_TOKEN}' } }",
    "{ messages: { responsePrefix: 'x' }, session: { dmScope: 'main' } }",
    "{ $include: './other.json5' }",
  ];
  for (const [index, raw] of closed.entries()) {
    call = { tool: "gateway", args: { action: "config.patch", raw, baseHash: hash } };
    assert.match(await ask(owner, 2 + index), /It said: .*an agent may not/u, raw);
  }
  assert.equal(await readFile(file(), "utf8"), before);

  call = {
    tool: "gateway",
    args: { action: "config.patch", raw: "{ messages: { ackReaction: 'ok' } }", baseHash: hash },
  };
  assert.match(await ask(owner, closed.length + 2), /"applied":"hot"/u);
  assert.match(await readFile(file(), "utf8"), /ackReaction/u);
});

test("a restart by config.patch with a session waits for its run, is answered with what is kept, and is told there (RB-23, OV-40)", async () => {
  const client = await connect();
  await client.request("agent", { message: "hi", idempotencyKey: "first", sessionKey: "mine" });
  await client.request("agent.wait", { runId: "first", timeoutMs: 10_000 });
  const { hash } = (await client.request("config.get")).payload ?? {};
  const { payload } = await client.request("config.patch", {
    raw: '{ env: { vars: { A: "b" } } }',
    baseHash: hash,
    sessionKey: "mine",
    note: "A is set now.",
    restartDelayMs: 100,
  });
  assert.partialDeepStrictEqual(payload, {
    applied: "restart",
    restart: { ok: true },
    sentinel: {
      payload: { kind: "config-apply", status: "ok", sessionKey: "agent:main:mine", message: "A is set now." },
    },
  });
  await client.closed;
  await until(() => starts() === 2, 10_000);
  const again = await connect();
  const history = async () => JSON.stringify((await again.request("chat.history", { sessionKey: "mine" })).payload);
  await until(async () => /restarted with the changed config\.\\n\\nA is set now\./u.test(await history()), 5_000);
  again.close();
});

test("what an older program had to say after its restart is told in the chat it came from, once, and its file goes", async () => {
  await gateway.stop("SIGTERM");
  const old = join(gateway.folder, "state", "restart-sentinel.json");
  const payload = {
    kind: "update",
    status: "error",
    ts: 1,
    deliveryContext: { channel: "telegram", to: String(owner) },
    message: "Tests failed.",
    doctorHint: "Run: openclaw doctor",
  };
  await writeFile(old, JSON.stringify({ version: 1, payload }));
  await gateway.start();
  await until(() => texts().length === 1, 10_000);
  assert.match(
    texts()[0] ?? "",
    /after an update\. Something went wrong on the way\.\n\nTests failed\.\n\nRun: openclaw doctor/u,
  );
  assert.equal(existsSync(old), false);
  // Telegram shows it a moment before we know that it did: killed in between, it would be sent again
  await until(async () => {
    const { stdout } = await gateway.cli("status", "--json");
    return (JSON.parse(stdout) as { queue: { outboxPending: number } }).queue.outboxPending === 0;
  }, 10_000);
  await gateway.stop("SIGKILL");
  await writeFile(old, JSON.stringify({ version: 1, payload }));
  await gateway.start();
  await pause(1_000);
  assert.equal(texts().length, 1);
  assert.equal(existsSync(old), false);
});
