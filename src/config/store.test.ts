import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";

import { brandOf } from "../base/brand.ts";
import { Fault } from "../base/fault.ts";
import { systemIds } from "../base/ids.ts";
import { createEnv } from "../platform/env.ts";
import { defaultConfig } from "./parse.ts";
import { createGatewayToken, resolveClientSecret, resolveServerSecret } from "./secret.ts";
import { openConfig, type ConfigFiles } from "./store.ts";

const folders: string[] = [];
let folder: string;
let files: ConfigFiles;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-"));
  folders.push(folder);
  files = { path: join(folder, "openclaw.json"), lastGoodPath: join(folder, "good.json"), variable: () => undefined };
});
after(async () => {
  for (const made of folders) await rm(made, { recursive: true, force: true });
});

test("a missing file means the defaults, and nothing is written", async () => {
  const snapshot = (await openConfig(files)).snapshot();
  assert.deepEqual([snapshot.exists, snapshot.source, snapshot.isValid], [false, "defaults", true]);
  await assert.rejects(stat(files.lastGoodPath ?? ""));
});

test("a broken file leaves the last good one in use and says what is wrong", async () => {
  await writeFile(files.path, "{ gateway: { port: 4711 } }");
  assert.equal((await openConfig(files)).current().gateway.port, 4711);
  assert.equal((await stat(files.lastGoodPath ?? "")).mode & 0o777, 0o600);

  await writeFile(files.path, "{ gateway: { prot: 4712 } }");
  const store = await openConfig(files);
  assert.equal(store.current().gateway.port, 4711);
  assert.equal(store.snapshot().source, "last-good");
  assert.match(
    store.snapshot().rendered[0] ?? "",
    /openclaw\.json:1:14 gateway\.prot: unknown key; did you mean port\?/u,
  );
  assert.equal(await readFile(files.path, "utf8"), "{ gateway: { prot: 4712 } }", "the reader writes nothing into it");
  assert.equal(await readFile(files.lastGoodPath ?? "", "utf8"), "{ gateway: { port: 4711 } }");
});

test("a broken file without a good one refuses, with every problem", async () => {
  await writeFile(files.path, "{ gatway: 1, loging: 2 }");
  await assert.rejects(
    openConfig(files),
    (error) => error instanceof Fault && error.code === "config_invalid" && /gatway[\s\S]*loging/u.test(error.message),
  );
});

test("reading again takes a good file over, and keeps the config in use when the file is broken, empty or unreadable", async () => {
  await writeFile(files.path, "{ gateway: { port: 4711 } }");
  const store = await openConfig(files);
  await writeFile(files.path, "{ gateway: { port: 4712 } }");
  assert.deepEqual([(await store.reload()).source, store.current().gateway.port], ["file", 4712]);

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
  assert.equal(await readFile(files.lastGoodPath ?? "", "utf8"), "{ gateway: { port: 4712 } }");

  await rm(files.path, { recursive: true });
  assert.match((await store.reload()).rendered[0] ?? "", /:1:1 the file is gone/u);
  assert.equal(store.current().gateway.port, 4712);
  await writeFile(files.path, "{}");
  assert.deepEqual([(await store.reload()).isValid, store.current().gateway.port], [true, undefined]);
});

test("the copy of a good file is written only when it changed, and a broken copy is as good as none", async () => {
  await writeFile(files.path, "{}");
  await openConfig(files);
  const before = await stat(files.lastGoodPath ?? "");
  await openConfig(files);
  assert.equal((await stat(files.lastGoodPath ?? "")).ino, before.ino, "not written again");

  await writeFile(files.path, "{ a");
  await writeFile(files.lastGoodPath ?? "", "{ b");
  await assert.rejects(openConfig(files), (error) => error instanceof Fault && error.code === "config_invalid");
  assert.equal(await readFile(files.lastGoodPath ?? "", "utf8"), "{ b", "and it is not repaired in passing");
});

test("a copy that cannot be written is a fault that says where", async () => {
  await writeFile(files.path, "{}");
  const lastGoodPath = join(files.path, "below-a-file", "good.json");
  await assert.rejects(
    openConfig({ ...files, lastGoodPath }),
    (error) => error instanceof Fault && error.code === "storage" && error.message.includes(lastGoodPath),
  );
});

test("a look at the config writes no copy", async () => {
  await writeFile(files.path, "{}");
  const { path, variable } = files;
  assert.equal((await openConfig({ path, variable })).snapshot().hash?.length, 64);
  assert.deepEqual(await readdir(folder), ["openclaw.json"]);
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
