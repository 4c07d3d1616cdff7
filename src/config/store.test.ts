import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";

import { brandOf } from "../base/brand.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { systemIds } from "../base/ids.ts";
import { createEnv } from "../platform/env.ts";
import { createConfigHistory, type ConfigHistory } from "./history.ts";
import { defaultConfig } from "./parse.ts";
import { createGatewayToken, resolveClientSecret, resolveServerSecret } from "./secret.ts";
import { firmGround } from "./stand-in.ts";
import { openConfig, type ConfigFiles } from "./store.ts";

const folders: string[] = [];
let folder: string;
let files: ConfigFiles;
let history: ConfigHistory;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-"));
  folders.push(folder);
  history = createConfigHistory({ folder: join(folder, "history"), clock: systemClock });
  files = { path: join(folder, "openclaw.json"), history, variable: () => undefined };
});
after(async () => {
  for (const made of folders) await rm(made, { recursive: true, force: true });
});

const versions = () => history.list();
const texts = async () => {
  const kept = (await versions()).map(async (version) => (await history.read(version))?.text);
  return Promise.all(kept);
};
/** As a Gateway does at its start: the file is one that works. */
async function startWith(text: string) {
  await writeFile(files.path, text);
  const store = await openConfig(files);
  await store.keepGood();
  return store;
}

test("a missing file means the defaults, and nothing is written", async () => {
  const store = await openConfig(files);
  const snapshot = store.snapshot();
  await store.keepGood();
  assert.deepEqual([snapshot.exists, snapshot.source, snapshot.isValid], [false, "defaults", true]);
  assert.deepEqual(await readdir(folder), []);
});

test("a broken file leaves the last good one in use and says what is wrong", async () => {
  assert.equal((await startWith("{ gateway: { port: 4711 } }")).current().gateway.port, 4711);

  await writeFile(files.path, "{ gateway: { prot: 4712 } }");
  const store = await openConfig(files);
  await store.keepGood();
  assert.equal(store.current().gateway.port, 4711);
  assert.equal(store.snapshot().source, "last-good");
  assert.match(
    store.snapshot().rendered[0] ?? "",
    /openclaw\.json:1:14 gateway\.prot: unknown key; did you mean port\?/u,
  );
  assert.equal(await readFile(files.path, "utf8"), "{ gateway: { prot: 4712 } }", "the reader writes nothing into it");
  assert.deepEqual(await texts(), ["{ gateway: { port: 4711 } }"]);
});

test("a broken file without a good one refuses, with every problem", async () => {
  await writeFile(files.path, "{ gatway: 1, loging: 2 }");
  await assert.rejects(
    openConfig(files),
    (error) => error instanceof Fault && error.code === "config_invalid" && /gatway[\s\S]*loging/u.test(error.message),
  );
});

test("with a ladder a broken file without a good one gives the safe config: its own port and secret, if that section is in order", async () => {
  const open = async (text: string) => {
    await writeFile(files.path, text);
    return openConfig(files, firmGround);
  };
  const store = await open(
    '{ gateway: { mode: "local", port: 4711, auth: { token: "mine" } }, channels: { telegram: 3 } }',
  );
  assert.equal(store.snapshot().source, "safe");
  assert.partialDeepStrictEqual(store.current().gateway, { port: 4711, mode: "local", auth: { token: "mine" } });
  assert.equal(store.current().channels.telegram, undefined);
  assert.equal(store.id(), undefined);

  for (const [text, mode] of [
    ["{ gateway", "local"],
    ['{ gateway: { mode: "lcoal" } }', "local"],
    ['{ gateway: { mode: "remote", prot: 1 } }', "remote"],
    ["{ gateway: {}, prot: 1 }", undefined],
  ] as const)
    assert.equal((await open(text)).current().gateway.mode, mode, text);
  const { auth } = (await open('{ gateway: { mode: "local", auth: { mode: "password" } }, x: 1 }')).current().gateway;
  assert.equal(auth.mode, undefined, "a password that is nowhere keeps nobody out");
});

test("from the safe config nothing is taken up but a file in order, and then it is the file's", async () => {
  await writeFile(files.path, "{ gateway");
  const store = await openConfig(files, firmGround);
  await writeFile(files.path, "{ gateway: {");
  assert.equal((await store.reload()).source, "safe");
  await writeFile(files.path, "{ gateway: { port: 4711 } }");
  assert.deepEqual([(await store.reload()).source, store.current().gateway.port], ["file", 4711]);
});

test("a file that does not start is stepped over for the newest other version that works, until it says something else", async () => {
  await startWith("{ gateway: { port: 4711 } }");
  await startWith("{ gateway: { port: 4712 } }");
  const { id } = await startWith("{ gateway: { port: 4713 } }");
  const ladder = {
    distrust: (other: string) => (other === id() ? { reason: "it broke", isCertain: true } : undefined),
    isSafe: false,
  };
  const store = await openConfig(files, ladder);
  assert.deepEqual([store.snapshot().source, store.current().gateway.port], ["last-good", 4712]);
  assert.match(store.snapshot().warnings[0]?.message ?? "", /it broke/u);
  assert.equal((await store.reload()).source, "last-good");
  await writeFile(files.path, "{ gateway: { port: 4714 } }");
  assert.deepEqual([(await store.reload()).source, store.current().gateway.port], ["file", 4714]);
  await writeFile(files.path, "{ gateway: { port: 4713 } }");
  assert.deepEqual([(await store.reload()).source, store.current().gateway.port], ["last-good", 4714]);
  assert.equal((await openConfig(files, { ...ladder, isSafe: true })).snapshot().source, "safe");

  const doubt = { distrust: () => ({ reason: "it was short", isCertain: false }), isSafe: false };
  const doubted = await openConfig(files, doubt);
  assert.deepEqual([doubted.snapshot().source, doubted.current().gateway.port], ["file", 4713], "nothing else works");
  assert.match(doubted.snapshot().warnings[0]?.message ?? "", /it was short/u);
});

test("reading again takes a good file over, and keeps the config in use when the file is broken, empty or unreadable", async () => {
  const store = await startWith("{ gateway: { port: 4711 } }");
  await writeFile(files.path, "{ gateway: { port: 4712 } }");
  assert.deepEqual([(await store.reload()).source, store.current().gateway.port], ["file", 4712]);
  await store.keepGood();

  for (const text of ["{ gateway: ", "", "{ gateway: { port: true } }"]) {
    await writeFile(files.path, text);
    const snapshot = await store.reload();
    assert.deepEqual([snapshot.isValid, snapshot.source, snapshot.problems.length], [false, "last-good", 1], text);
    assert.equal(store.current().gateway.port, 4712);
  }
  await rm(files.path);
  await mkdir(files.path);
  assert.match((await store.reload()).rendered[0] ?? "", /:1:1 the file cannot be read \(EISDIR\)/u);
  assert.equal((await openConfig(files)).current().gateway.port, 4712, "a start does the same");
  assert.equal((await texts())[0], "{ gateway: { port: 4712 } }");

  await rm(files.path, { recursive: true });
  assert.match((await store.reload()).rendered[0] ?? "", /:1:1 the file is gone/u);
  assert.equal(store.current().gateway.port, 4712);
  await writeFile(files.path, "{}");
  assert.deepEqual([(await store.reload()).isValid, store.current().gateway.port], [true, undefined]);
});

test("a look at the config writes no copy", async () => {
  await writeFile(files.path, "{}");
  assert.equal((await openConfig(files)).snapshot().hash?.length, 64);
  assert.deepEqual(await readdir(folder), ["openclaw.json"]);
});

test("a version with parts stands in with them, whatever became of the files", async () => {
  await writeFile(join(folder, "gate.json5"), "{ port: 4711 }");
  await startWith('{ gateway: { $include: "./gate.json5" } }');
  await writeFile(join(folder, "gate.json5"), "{ port: ");
  const store = await openConfig(files);
  assert.deepEqual([store.snapshot().source, store.current().gateway.port], ["last-good", 4711]);
});

test("the server looks at its config before the environment, a client the other way round, and both name what they used (RB-24, OV-12, VG-07)", async () => {
  const env = createEnv(brandOf("openclaw"), { CLAWDBOT_GATEWAY_TOKEN: "from-env" });
  const config = structuredClone(defaultConfig());
  config.gateway.auth.token = "from-config";
  const sources = { flags: {}, config, env, tokenFile: join(folder, "token") };
  assert.deepEqual(await resolveServerSecret(sources), {
    mode: "token",
    value: "from-config",
    source: "gateway.auth.token",
  });
  assert.deepEqual(await resolveClientSecret(sources), {
    mode: "token",
    value: "from-env",
    source: "CLAWDBOT_GATEWAY_TOKEN",
  });
  assert.equal((await resolveServerSecret({ ...sources, flags: { token: "flag" } }))?.value, "flag");
});

test("the first run's token is long, private and found again; a blank one counts as none (RB-24, VG-07)", async () => {
  const tokenFile = join(folder, "credentials", "token");
  const sources = {
    flags: {},
    config: defaultConfig(),
    env: createEnv(brandOf("openclaw"), { OPENCLAW_GATEWAY_TOKEN: "  " }),
    tokenFile,
  };
  assert.equal(await resolveServerSecret(sources), undefined);
  const made = await createGatewayToken(tokenFile, systemIds);
  assert.match(made.value, /^[0-9a-f]{48}$/u);
  assert.equal((await stat(tokenFile)).mode & 0o777, 0o600);
  assert.equal((await resolveServerSecret(sources))?.value, made.value);
  assert.equal((await resolveClientSecret(sources))?.value, made.value);
  await assert.rejects(resolveServerSecret({ ...sources, flags: { token: " " } }), Fault);
});
