// A real Gateway that starts with a config it cannot use: the last good one, else safe mode; it stays up, says why and where, writes
// nothing into the file, and heals when that is mended (R6, R9). And what must not start at all.

import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

let gateway: GatewayProcess;
let telegram: FakeTelegram;
let file: string;
beforeEach(async () => {
  telegram = await startFakeTelegram();
  gateway = await createGatewayProcess({ args: ["--verbose"] });
  file = join(gateway.folder, "state", "openclaw.json");
});
afterEach(async () => {
  await gateway?.dispose();
  await telegram?.close();
});

const good = (extra: object = {}) =>
  JSON.stringify({
    gateway: { mode: "local", reload: { debounceMs: 50 } },
    channels: { telegram: { apiRoot: telegram.apiRoot, botToken: telegram.token } },
    ...extra,
  });
const broken =
  '{ gateway: { mode: "local", prot: 1 },\n  channels: { telegram: { botToken: "123456:secret-of-a-broken-file" } } }';
const place = /openclaw\.json:1:29 gateway\.prot: unknown key/u;
const polls = () => telegram.calls.filter(({ method }) => method === "getUpdates").length;
const starts = () => gateway.output().match(/listening on ws/gu)?.length ?? 0;

async function connect(token = gateway.token): Promise<RawClient> {
  const client = await openRawClient(gateway.port, token);
  const hello = await client.connect();
  assert.equal(hello.ok, true, JSON.stringify(hello));
  return client;
}
/** Where the config in use comes from, and what is said about it. */
async function look(): Promise<{ source: unknown; ok: unknown; text: string }> {
  const client = await connect();
  const { payload } = await client.request("health");
  client.close();
  return { source: payload?.["configSource"], ok: payload?.["ok"], text: JSON.stringify(payload?.["problems"]) };
}

test("a broken file and no good one: safe mode serves those who mend it, guarded, and heals in the same process", async () => {
  await writeFile(file, broken);
  await gateway.start();
  const pid = gateway.pid();
  const { source, ok, text } = await look();
  assert.deepEqual([source, ok], ["safe", false]);
  assert.match(text, /safe mode/u);
  assert.match(text, place);
  assert.match(gateway.output(), place);
  for (const command of [["status"], ["health"], ["gateway", "status"]])
    assert.match((await gateway.cli(...command)).stdout, place, command.join(" "));
  assert.match((await gateway.cli("gateway", "status")).stdout, /safe mode/u);

  const client = await connect();
  for (const [method, params] of [
    ["agent", { message: "hi", idempotencyKey: "k1", sessionKey: "main" }],
    ["chat.send", { message: "hi", idempotencyKey: "k2", sessionKey: "main" }],
    ["send", { to: "1", message: "hi", channel: "telegram", idempotencyKey: "k3" }],
    ["channels.start", { channel: "telegram" }],
  ] as const) {
    const { ok: isDone, error } = await client.request(method, params);
    assert.equal(isDone, false, method);
    assert.match(JSON.stringify(error), /safe mode/u, method);
  }
  for (const method of ["config.get", "config.schema", "logs.tail", "status", "device.pair.list", "system-presence"])
    assert.equal((await client.request(method)).ok, true, method);
  assert.equal((await openRawClient(gateway.port, "wrong").then((stranger) => stranger.connect())).ok, false);
  assert.equal(telegram.calls.length, 0);
  assert.equal(await readFile(file, "utf8"), broken, "the file is its owner's");
  assert.doesNotMatch(gateway.output(), /secret-of-a-broken-file/u);

  await writeFile(file, good());
  assert.equal((await client.closed).code, 1012);
  await until(() => starts() === 2 && polls() > 0, 10_000);
  assert.partialDeepStrictEqual(await look(), { source: "file", ok: true });
  assert.equal(gateway.pid(), pid);
});

test("a client mends it too, and in safe mode the port and the secret of the file count where that section is in order", async () => {
  const token = "secret-of-the-file-0123456789";
  await writeFile(file, `{ gateway: { mode: "local", auth: { token: "${token}" } }, chanels: {} }`);
  await gateway.start();
  const client = await connect(token);
  const { hash } = (await client.request("config.get")).payload ?? {};
  const raw = `{ gateway: { mode: "local", auth: { token: "${token}" } } }`;
  const answer = await client.request("config.apply", { raw, baseHash: hash, restartDelayMs: 0 });
  assert.partialDeepStrictEqual(answer, { ok: true, payload: { applied: "restart" } });
  await until(() => starts() === 2, 10_000);
  (await connect(token)).close();
});

test("a broken file and a good one before: that works, over a kill -9, and a mended file counts without a restart", async () => {
  await writeFile(file, good());
  await gateway.start();
  await until(() => polls() > 0, 10_000);
  await gateway.stop("SIGKILL");
  await writeFile(file, broken);
  await gateway.start();
  const { source, ok, text } = await look();
  assert.deepEqual([source, ok], ["last-good", true]);
  assert.match(text, place);
  const before = polls();
  await until(() => polls() > before, 10_000);

  const client = await connect();
  await writeFile(file, good({ agents: { list: [{ id: "main", name: "mended" }] } }));
  await until(async () => JSON.stringify((await client.request("agents.list")).payload).includes("mended"), 5_000);
  await until(async () => (await look()).source === "file", 5_000);
  assert.equal(starts(), 2);
  client.close();
});

test("from far away: the versions are listed and one is put back over a broken file; a slip in a parameter puts nothing back (R9)", async () => {
  await writeFile(file, good());
  await gateway.start();
  await until(async () => (await look()).source === "file", 5_000);
  await writeFile(file, broken);
  const client = await connect();
  await until(async () => (await look()).text.includes("gateway.prot"), 5_000);
  const { payload } = await client.request("config.history");
  const versions = payload?.["versions"] as { id: string; good: boolean; valid: boolean }[];
  assert.ok(versions.some((version) => version.good && version.valid));
  assert.doesNotMatch(JSON.stringify(payload), /secret-of-a-broken-file/u);
  const slip = await client.request("config.rollback", { dryrun: true });
  assert.match(JSON.stringify(slip.error), /unexpected property 'dryrun'/u);
  assert.equal(await readFile(file, "utf8"), broken);
  assert.partialDeepStrictEqual(await client.request("config.rollback", { note: "mended from afar" }), {
    ok: true,
    payload: { ok: true, dryRun: false },
  });
  assert.equal(await readFile(file, "utf8"), good());
  await until(async () => (await look()).source === "file", 5_000);
  client.close();
});

test("rollback and history work while the Gateway cannot use the file, and it takes up what was put back", async () => {
  await writeFile(file, good());
  await gateway.start();
  await gateway.stop();
  await writeFile(file, "{ gateway: { mode:");
  assert.match((await gateway.cli("config", "rollback", "--dry-run")).stdout, /Would put version [0-9a-f]{16}/u);
  assert.equal(await readFile(file, "utf8"), "{ gateway: { mode:");
  await gateway.start();
  assert.equal((await look()).source, "last-good");
  assert.equal((await gateway.cli("config", "rollback")).code, 0);
  assert.equal(await readFile(file, "utf8"), good());
  await until(async () => (await look()).source === "file", 5_000);
  const { stdout } = await gateway.cli("config", "history", "--json");
  const { versions } = JSON.parse(stdout) as { versions: { good: boolean; current: boolean; valid: boolean }[] };
  assert.deepEqual(
    versions.map((version) => [version.current, version.good, version.valid]).toSorted(),
    [
      [false, false, false],
      [true, true, true],
    ],
    stdout,
  );
  assert.doesNotMatch(stdout, new RegExp(telegram.token, "u"));
});

/** From now on the Gateway is gone without a word when it reads a file of that name. */
async function dieReading(name: string, { when = "true", also = "" } = {}): Promise<void> {
  const shim = join(gateway.folder, "shim.mjs");
  await writeFile(
    shim,
    `import { syncBuiltinESMExports } from "node:module";
import fs from "node:fs";
const { readFile } = fs.promises;
const die = (path) => String(path).includes(${JSON.stringify(name)}) && ${when} && process.kill(process.pid, "SIGKILL");
fs.promises.readFile = (path, ...rest) => (die(path), readFile(path, ...rest));
syncBuiltinESMExports();
${also}
`,
  );
  Object.assign(gateway.env, { NODE_OPTIONS: `--import ${shim}` });
}

test("a config that takes the process down at each start is stepped over for the last good one, then for safe mode", async () => {
  // what a library, a full memory or a broken disk does
  await dieReading("poison");
  // read while its channel starts
  const poison = good({
    channels: { telegram: { apiRoot: telegram.apiRoot, tokenFile: join(gateway.folder, "poison") } },
  });

  await writeFile(file, good());
  await gateway.start();
  await gateway.stop();
  await writeFile(file, poison);
  for (let life = 0; life < 3; life += 1) await assert.rejects(gateway.start(), /SIGKILL/u);
  await gateway.start();
  const { source, text } = await look();
  assert.equal(source, "last-good");
  assert.match(text, /did not start with it 3 times in a row/u);
  await until(() => polls() > 0, 10_000);
  assert.equal(await readFile(file, "utf8"), poison);
  await gateway.stop();

  await writeFile(file, good({ agents: { list: [{ id: "main", name: "short-lived" }] } }));
  for (let life = 0; life < 5; life += 1) {
    await gateway.start();
    await gateway.stop("SIGKILL");
  }
  await gateway.start();
  assert.equal((await look()).source, "last-good");
  await gateway.stop("SIGKILL");

  await writeFile(file, poison);
  await rm(join(gateway.folder, "state", "config-history"), { recursive: true });
  for (let life = 0; life < 3; life += 1) await assert.rejects(gateway.start(), /SIGKILL/u);
  await gateway.start();
  assert.equal((await look()).source, "safe");
  await writeFile(file, good());
  // a look that meets the restart gets no answer
  const glance = () =>
    Promise.race([
      look().catch(() => undefined),
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 1_000)),
    ]);
  await until(async () => (await glance())?.source === "file", 10_000);
});

test("three kills before a config has ever worked lead to safe mode, and it is tried again in the same process", async () => {
  const armed = join(gateway.folder, "armed");
  // somebody kills it while it starts; and two minutes are short
  await dieReading("tried", {
    when: `fs.existsSync(${JSON.stringify(armed)})`,
    also: `const { setTimeout } = globalThis;
globalThis.setTimeout = (task, ms, ...rest) => setTimeout(task, ms === 120_000 ? 1_000 : ms, ...rest);`,
  });
  const tokenFile = join(gateway.folder, "tried");
  await Promise.all([writeFile(tokenFile, telegram.token), writeFile(armed, "")]);
  await writeFile(file, good({ channels: { telegram: { apiRoot: telegram.apiRoot, tokenFile } } }));
  for (let life = 0; life < 3; life += 1) await assert.rejects(gateway.start(), /SIGKILL/u);
  await rm(armed);
  await gateway.start();
  const pid = gateway.pid();
  await until(() => /config is tried once more/u.test(gateway.output()) && polls() > 0, 15_000);
  assert.match(gateway.output(), /safe mode/u);
  assert.equal((await look()).source, "file");
  assert.equal(gateway.pid(), pid);
});

test("no config, a config of a client, and one without a mode do not start (RB-24, MG-09, OV-12)", async () => {
  const refuses = async (text: string | undefined, reason: RegExp) => {
    if (text === undefined) await rm(file);
    else await writeFile(file, text);
    await assert.rejects(
      gateway.start(),
      (error) => error instanceof Error && /ended \(1\)/u.test(error.message) && reason.test(error.message),
    );
  };
  await refuses(undefined, /Missing config/u);
  await refuses('{ gateway: { mode: "remote" } }', /current: remote/u);
  await refuses('{ gateway: { mode: "remote" }, chanels: 1 }', /current: remote/u);
  await refuses("{ agents: {} }", /current: unset/u);
  await refuses("{ agents: {}, chanels: 1 }", /current: unset[\s\S]*chanels: unknown key/u);
});

test(
  "a database that is none ends it with 1 and its name, and nothing keeps the port or the process",
  { timeout: 60_000 },
  async () => {
    const database = join(gateway.folder, "state", "gateway.sqlite");
    await writeFile(database, "no database at all, of more than a hundred bytes ".repeat(20));
    const startedAt = Date.now();
    await assert.rejects(gateway.start(), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, /ended \(1\)/u);
      assert.match(error.message, /gateway\.sqlite: file is not a database\nnext: keep a copy of that file/u);
      return true;
    });
    assert.ok(Date.now() - startedAt < 10_000, `${Date.now() - startedAt} ms`);
    await assert.rejects(connect(), "the port is free again");
  },
);
