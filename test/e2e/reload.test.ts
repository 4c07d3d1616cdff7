// A real Gateway whose config file is edited by hand while clients are connected: each key disturbs what it declares and no more,
// and its new value counts (R7, R9).

import assert from "node:assert/strict";
import { readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { createGatewayProcess, freePort, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient, type Frame, type RawClient } from "../kit/raw-client.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

let gateway: GatewayProcess;
let telegram: FakeTelegram;
let file: string;
let base: Record<string, Record<string, unknown>>;

before(async () => {
  telegram = await startFakeTelegram();
  base = {
    gateway: { mode: "local", reload: { debounceMs: 50 } },
    channels: { telegram: { apiRoot: telegram.apiRoot, botToken: telegram.token } },
  };
  gateway = await createGatewayProcess({ config: base });
  file = join(gateway.folder, "state", "openclaw.json");
  await gateway.start();
  await until(() => polls(telegram.token) > 0, 10_000);
});
after(async () => {
  await gateway?.dispose();
  await telegram?.close();
});
beforeEach(async () => {
  const client = await connect();
  await save(base);
  await until(async () => (await client.request("config.get")).payload?.["valid"] === true, 5_000);
  client.close();
});

const polls = (token: string) =>
  telegram.calls.filter((call) => call.method === "getUpdates" && call.token === token).length;
const count = (pattern: RegExp) => gateway.output().match(new RegExp(pattern.source, "gu"))?.length ?? 0;
const starts = () => count(/listening on ws/u);
const save = (config: object) => writeFile(file, JSON.stringify(config, null, 2));
const withKeys = (extra: Record<string, object>) => {
  const merged: Record<string, object> = { ...base };
  for (const [section, keys] of Object.entries(extra)) merged[section] = { ...merged[section], ...keys };
  return merged;
};
async function connect(token = gateway.token, headers = {}): Promise<RawClient> {
  const client = await openRawClient(gateway.port, token, headers);
  const hello = await client.connect();
  assert.equal(hello.ok, true, JSON.stringify(hello));
  return client;
}
const agentNamed = (name: string) => ({ agents: { list: [{ id: "main", name }] } });
const isNamed = (client: RawClient, name: string) => async () =>
  JSON.stringify((await client.request("agents.list")).payload).includes(name);
type Ask = (method: string, params?: object) => Promise<NonNullable<Frame["payload"]>>;

const readNow: readonly [string, Record<string, object>, (ask: Ask) => Promise<boolean>][] = [
  [
    "agents.defaults.model",
    {
      agents: { defaults: { model: "mine/tiny" } },
      models: { providers: { mine: { baseUrl: "http://127.0.0.1:1/v1" } } },
    },
    async (ask) => JSON.stringify(await ask("status")).includes('"model":"mine/tiny"'),
  ],
  [
    "agents.list, with its names",
    { agents: { list: [{ id: "second", identity: { name: "Second" } }] } },
    async (ask) => JSON.stringify(await ask("agents.list")).includes("Second"),
  ],
  [
    "channels.telegram.dmPolicy",
    { channels: { telegram: { dmPolicy: "disabled" } } },
    async (ask) => JSON.stringify(await ask("channels.status")).includes('"dmPolicy":"disabled"'),
  ],
  [
    "models.providers",
    { models: { providers: { mine: { baseUrl: "http://127.0.0.1:1/v1", models: [{ id: "tiny" }] } } } },
    async (ask) => JSON.stringify(await ask("models.list")).includes("tiny"),
  ],
  [
    "session.sendPolicy",
    { session: { sendPolicy: { default: "deny" } } },
    async (ask) => {
      const answer = await ask("chat.send", { sessionKey: "main", message: "hi", idempotencyKey: `k${Date.now()}` });
      return JSON.stringify(answer).includes("send blocked");
    },
  ],
  [
    "gateway.controlUi.allowedOrigins",
    { gateway: { mode: "local", reload: { debounceMs: 50 }, controlUi: { allowedOrigins: ["https://panel.test"] } } },
    async () => {
      try {
        const page = await openRawClient(gateway.port, gateway.token, { origin: "https://panel.test" });
        page.close();
        return true;
      } catch {
        return false;
      }
    },
  ],
  [
    "logging.consoleLevel",
    { logging: { consoleLevel: "debug" } },
    async () => {
      const seen = count(/client connected/u);
      (await connect()).close();
      // what it prints comes by a pipe
      await new Promise((resolve) => setTimeout(resolve, 100));
      return count(/client connected/u) > seen;
    },
  ],
];

for (const [name, keys, isInUse] of readNow) {
  test(`${name} counts at once and disturbs nothing (RB-09, OV-06, OV-37, VG-04)`, async () => {
    const client = await connect();
    const ask: Ask = async (method, params) => {
      const { payload, error } = await client.request(method, params);
      return payload ?? { error };
    };
    const earlier = [starts(), polls(telegram.token) > 0, telegram.calls.filter(isLogin).length];
    assert.equal(await isInUse(ask), false, "not so before");
    const telegramKeys = keys["channels"] as { telegram?: object } | undefined;
    const config = telegramKeys?.telegram
      ? { ...base, channels: { telegram: { ...(base["channels"]?.["telegram"] as object), ...telegramKeys.telegram } } }
      : withKeys(keys);
    await save(config);
    await until(() => isInUse(ask), 5_000);
    assert.equal((await client.request("health")).ok, true, "the same connection");
    assert.deepEqual([starts(), polls(telegram.token) > 0, telegram.calls.filter(isLogin).length], earlier);
    client.close();
  });
}
const isLogin = ({ method }: { method: string }) => method === "getMe";

test("a bot token starts its channel again, and clients stay (OV-37)", async () => {
  const client = await connect();
  const [lives, other] = [starts(), "222222:another-token-of-a-test-bot-xyz"];
  await save(withKeys({ channels: { telegram: { apiRoot: telegram.apiRoot, botToken: other } } }));
  await until(() => telegram.calls.some(({ token }) => token === other), 5_000);
  assert.equal((await client.request("health")).ok, true);
  assert.equal(starts(), lives);
  client.close();
});

test("a changed secret counts at once: who came with the one before is disconnected, and nothing restarts", async () => {
  const old = await connect();
  const lives = starts();
  const token = "another-token-0123456789";
  await save(withKeys({ gateway: { auth: { token } } }));
  assert.equal((await old.closed).code, 4001);
  const fresh = await connect(token);
  const refused = await openRawClient(gateway.port, gateway.token);
  assert.equal((await refused.connect()).ok, false);
  await save(base);
  assert.equal((await fresh.closed).code, 4001);
  (await connect()).close();
  assert.equal(starts(), lives);
  refused.socket.terminate();
});

test("a key that is read at start starts the Gateway anew in its process, once (RB-09, RB-10, OV-06, OV-09)", async () => {
  const client = await connect();
  const [pid, lives] = [gateway.pid(), starts()];
  await save(withKeys({ env: { vars: { OPENAI_API_KEY: "sk-test" } } }));
  const shutdown = await client.wait((frame) => frame.event === "shutdown");
  assert.equal(shutdown.payload?.["reason"], "gateway restarting");
  assert.equal((await client.closed).code, 1012);
  await until(() => starts() === lives + 1, 10_000);
  await save(base);
  await until(() => starts() === lives + 2, 10_000);
  assert.equal(gateway.pid(), pid);
});

test("twenty edits in two seconds are taken up once, as the last one says, and every client stays connected (R7, RB-08, OV-09)", async () => {
  const clients = await Promise.all([connect(), connect(), connect()]);
  const quiet = { gateway: { mode: "local", reload: { debounceMs: 1_500 } } };
  const heard = count(/the config has changed: gateway\.reload\.debounceMs/u);
  await save(withKeys(quiet));
  await until(() => count(/the config has changed: gateway\.reload\.debounceMs/u) > heard, 5_000);
  const [lives, changes] = [starts(), count(/the config has changed/u)];
  for (let edit = 1; edit <= 20; edit += 1) {
    const text = JSON.stringify(withKeys({ ...quiet, ...agentNamed(`edit-${edit}.`) }));
    // half of it, then all: as an editor without care does
    await writeFile(file, text.slice(0, 40));
    await writeFile(file, text);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const [first] = clients;
  assert.ok(first);
  await until(isNamed(first, "edit-20."), 5_000);
  // a config counts a moment before the log says so
  await until(() => count(/the config has changed/u) > changes, 5_000);
  assert.equal(count(/the config has changed/u) - changes, 1, gateway.output().slice(-2_000));
  assert.equal(starts(), lives);
  await save(base);
  await until(() => count(/the config has changed/u) - changes === 2, 5_000);
  for (const client of clients) {
    assert.equal((await client.request("health")).ok, true);
    client.close();
  }
});

test("a broken file is told once with its place in the log, health and status, and heals when it is mended", async () => {
  const client = await connect();
  const told = () => count(/the config file has errors/u);
  const toldBefore = told();
  await writeFile(file, '{ gateway: { mode: "local", prot: 1 } }');
  await until(() => told() > toldBefore, 5_000);
  const place = /openclaw\.json:1:29 gateway\.prot: unknown key/u;
  await until(async () => place.test(JSON.stringify((await client.request("health")).payload?.["problems"])), 5_000);
  assert.match(JSON.stringify((await client.request("status")).payload?.["configProblems"]), place);
  assert.match((await gateway.cli("status")).stdout, place);
  assert.equal((await client.request("health")).payload?.["ok"], true, "it works, with what it had");
  await writeFile(file, '{ gateway: { mode: "local", prot: 1 } } ');
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(told(), toldBefore + 1);
  await save(base);
  await until(async () => (await client.request("status")).payload?.["configProblems"]?.toString() === "", 5_000);
  client.close();
});

test("what a client writes is taken up once and answered with what was done", async () => {
  const client = await connect();
  const { hash } = (await client.request("config.get")).payload ?? {};
  const changes = count(/the config has changed/u);
  const answer = await client.request("config.patch", {
    raw: '{ messages: { responsePrefix: "hm" } }',
    baseHash: hash,
  });
  assert.partialDeepStrictEqual(answer.payload, { applied: "hot", restartPaths: [], restart: { ok: false } });
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(count(/the config has changed/u) - changes, 1);
  client.close();
});

test("a file that is included is watched too", async () => {
  const client = await connect();
  const part = join(gateway.folder, "state", "agents.json5");
  await writeFile(part, '{ list: [{ id: "main", name: "part-one" }] }');
  await save({ ...base, agents: { $include: "./agents.json5" } });
  await until(isNamed(client, "part-one"), 5_000);
  await writeFile(part, '{ list: [{ id: "main", name: "part-two, longer" }] }');
  await until(isNamed(client, "part-two"), 8_000);
  await writeFile(part, '{ list: [{ id: "main", nme: 1 }] }');
  const place = /agents\.json5:1:24 agents\.list\.0\.nme/u;
  await until(async () => place.test(JSON.stringify((await client.request("status")).payload)), 8_000);
  assert.ok(await isNamed(client, "part-two")());
  client.close();
});

test("the CLI's own edits are taken up, and those of a file that is linked to", async () => {
  const client = await connect();
  assert.equal((await gateway.cli("config", "set", "agents.list", '[{ id: "main", name: "by-cli" }]')).code, 0);
  await until(isNamed(client, "by-cli"), 5_000);
  const real = join(gateway.folder, "dotfiles.json");
  await writeFile(real, await readFile(file, "utf8"));
  await symlink(real, `${file}.new`);
  await rename(`${file}.new`, file);
  await writeFile(real, JSON.stringify(withKeys(agentNamed("linked"))));
  await until(isNamed(client, "linked"), 8_000);
  client.close();
});

test("a new port is listened on, and the old one is left (OV-37)", async () => {
  const [port, next] = [await freePort(), await freePort()];
  const other = await createGatewayProcess({
    config: { gateway: { mode: "local", port, reload: { debounceMs: 50 } } },
    env: { OPENCLAW_GATEWAY_PORT: "" },
  });
  try {
    await other.start();
    const path = join(other.folder, "state", "openclaw.json");
    await writeFile(path, JSON.stringify({ gateway: { mode: "local", port: next } }));
    await until(() => other.output().includes(`127.0.0.1:${next}`), 10_000);
    const client = await openRawClient(next, other.token);
    assert.equal((await client.connect()).ok, true);
    client.close();
    await assert.rejects(openRawClient(port, other.token));
  } finally {
    await other.dispose();
  }
});
