import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { silentLog } from "../base/log.ts";
import * as answers from "../protocol/generated/answers.js";
import type { Validator } from "../protocol/generated/requests.js";
import { methodTable } from "../protocol/generated/methods.ts";
import { checkWith } from "../protocol/validate.ts";
import { createConfigEditor, createConfigHandlers } from "./methods.ts";
import { createConfigHistory } from "./history.ts";
import { createReloader } from "./reload.ts";
import { openConfig, type ConfigStore } from "./store.ts";
import { placeholder } from "./substitute.ts";

let folder: string;
let path: string;
let store: ConfigStore;
let moved: number;
let restarted: string[];
let asked: { reason: string; delayMs: number }[];

type Name = keyof ReturnType<typeof createConfigHandlers>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-methods-"));
  path = join(folder, "openclaw.json");
  asked = [];
  restarted = [];
  moved = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function open(text?: string) {
  if (text !== undefined) await writeFile(path, text);
  const variable = (name: string) => (name === "SET" ? "value-of-a-variable" : undefined);
  store = await openConfig({
    path,
    history: createConfigHistory({ folder: join(folder, "history"), clock: systemClock }),
    variable,
  });
  const editor = createConfigEditor({
    store,
    clock: systemClock,
    log: silentLog,
    version: "1.2.3",
    reloader: createReloader({
      store,
      clock: systemClock,
      log: silentLog,
      watch: () => ({ start: async () => undefined, refresh: async () => undefined, stop: () => undefined }),
      moveListener: async () => (moved += 1) > 0,
      restartChannel: async ({ id }) => void restarted.push(id),
      takers: [],
      restart(request) {
        asked.push(request);
        return { ok: true, pid: 1, delayMs: request.delayMs };
      },
      onProblems: () => undefined,
    }),
  });
  const handlers = createConfigHandlers(editor);
  return async (name: Name, params: object = {}) => {
    // the handlers are called as dispatch calls them: with params that it has validated
    const result = await (handlers[name] as (call: object) => Promise<Record<string, unknown>>)({ params });
    const validator = (answers as unknown as Record<string, Validator>)[`validate_result_${name.replace(".", "_")}`];
    assert.ok(validator);
    assert.equal(checkWith(validator, result)?.text, undefined, name);
    return result;
  };
}

const file = `// mine
{
  gateway: { port: 4711, auth: { token: "canary-token" } }, // here
  channels: { telegram: { botToken: "\${SET}", allowFrom: ["\${SET}"] } },
}
`;
const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
const text = () => readFile(path, "utf8");
const refusal = (message: string | RegExp) => (error: unknown) => {
  assert.ok(error instanceof Fault);
  assert.equal(error.code, "invalid_params");
  if (typeof message === "string") assert.equal(error.message, message);
  else assert.match(error.message, message);
  return true;
};

test("config.get tells the file, its hash and its defaults, and never a secret nor the value of a variable", async () => {
  const call = await open(file);
  const got = await call("config.get");
  assert.deepEqual([got["path"], got["exists"], got["valid"], got["hash"]], [path, true, true, hashOf(file)]);
  const shown = JSON.stringify(got);
  assert.doesNotMatch(shown, /canary|value-of-a-variable/u);
  assert.equal(got["raw"], file.replace('"canary-token"', `"${placeholder}"`));
  const config = got["config"] as { gateway: { bind: string; auth: object }; channels: { telegram: object } };
  assert.equal(config.gateway.bind, "loopback");
  assert.deepEqual(config.gateway.auth, { token: placeholder });
});

test("a remark that may hold a secret keeps the text back, and so does a file that cannot be parsed", async () => {
  const call = await open('{ // token: "hunter2"\n }');
  assert.equal((await call("config.get"))["raw"], null);
  await writeFile(path, '{ gateway: { auth: { token: "canary" } ');
  const broken = await call("config.get");
  assert.deepEqual([broken["raw"], broken["parsed"], broken["valid"]], [null, null, false]);
  assert.match(JSON.stringify(broken["issues"]), /not JSON5/u);
  assert.doesNotMatch(JSON.stringify(broken), /canary/u);
});

test("of a key that is written twice, neither value is told", async () => {
  const call = await open('{ gateway: { auth: { token: "canary1" } }, gateway: { auth: { token: "canary2" } } }');
  assert.doesNotMatch(JSON.stringify(await call("config.get")), /canary/u);
});

test("no file is no error: defaults, no hash, and a first patch makes it", async () => {
  const call = await open();
  const got = await call("config.get");
  assert.deepEqual([got["exists"], got["valid"], "hash" in got], [false, true, false]);
  await call("config.patch", { raw: '{ agents: { defaults: { model: "a/b" } } }' });
  assert.equal(await text(), '{\n  "agents": {\n    "defaults": {\n      "model": "a/b"\n    }\n  }\n}\n');
});

test("a patch changes its keys alone: comments, secrets and variables stay as they are written", async () => {
  const call = await open(file);
  const result = await call("config.patch", {
    raw: `{ gateway: { port: 4712, auth: { token: "${placeholder}" } }, channels: { telegram: { dmPolicy: "disabled" } } }`,
    baseHash: hashOf(file),
  });
  assert.equal(
    await text(),
    file.replace("4711", "4712").replace('allowFrom: ["${SET}"] }', 'allowFrom: ["${SET}"], dmPolicy: "disabled" }'),
  );
  assert.deepEqual(result["changedPaths"], ["gateway.port", "channels.telegram.dmPolicy"]);
  assert.deepEqual([result["restartPaths"], result["applied"], moved, asked], [[], "listener", 1, []]);
  assert.equal(result["hash"], hashOf(await text()));
  assert.doesNotMatch(JSON.stringify(result), /canary/u);
  assert.equal(store.current().channels.telegram?.dmPolicy, "disabled", "what needs no restart counts at once");
});

test("a key that needs the Gateway to start anew asks for that, and takes the listener's along", async () => {
  const call = await open(file);
  const raw = '{ gateway: { port: 4712 }, env: { vars: { A: "b" } } }';
  const result = await call("config.patch", { raw, baseHash: hashOf(file) });
  assert.deepEqual(asked, [{ reason: "config changed: env.vars.A", delayMs: 2_000 }]);
  assert.deepEqual(result["restartPaths"], ["env.vars.A", "gateway.port"]);
  assert.deepEqual([result["applied"], moved], ["restart", 0]);
});

test("null takes a key away, and what needs no restart asks for none", async () => {
  const call = await open(file);
  const result = await call("config.patch", {
    raw: "{ channels: { telegram: { allowFrom: null } } }",
    baseHash: hashOf(file),
  });
  assert.equal(await text(), file.replace(', allowFrom: ["${SET}"]', ""));
  assert.deepEqual(asked, []);
  assert.equal((result["restart"] as { ok: boolean }).ok, false);
  assert.deepEqual([result["applied"], result["restartPaths"]], ["hot", []]);
});

test("a channel's own keys start the channel again and nothing else", async () => {
  const call = await open(file);
  const raw = '{ channels: { telegram: { apiRoot: "http://127.0.0.1:1" } } }';
  const result = await call("config.patch", { raw, baseHash: hashOf(file) });
  assert.deepEqual([result["applied"], restarted, asked], ["channel", ["telegram"], []]);
});

test("what config.set left waiting is done by config.apply, also of the same text", async () => {
  const call = await open(file);
  const written = file.replace("4711", "4712").replace("canary-token", placeholder);
  const set = await call("config.set", { raw: written, baseHash: hashOf(file) });
  assert.deepEqual([set["restartPaths"], moved], [["gateway.port"], 0]);
  let baseHash = set["hash"];
  const noop = await call("config.patch", { raw: "{ gateway: { port: 4712 } }", baseHash });
  assert.deepEqual([noop["noop"], moved], [true, 0]);
  const applied = await call("config.apply", { raw: written, baseHash });
  assert.deepEqual([applied["noop"], applied["applied"], moved, asked], [true, "listener", 1, []]);
  const raw = written.replace("// mine\n{", '// mine\n{\n  env: { vars: { A: "b" } },');
  baseHash = (await call("config.set", { raw, baseHash }))["hash"];
  const restarting = await call("config.apply", { raw, baseHash });
  assert.deepEqual([restarting["noop"], restarting["applied"], asked.length], [true, "restart", 1]);
});

test("a patch that changes nothing writes nothing and needs no hash", async () => {
  const call = await open(file);
  const result = await call("config.patch", { raw: "{ gateway: { port: 4711 } }" });
  assert.deepEqual([result["noop"], result["changedPaths"], await text()], [true, [], file]);
});

test("who did not read what is there, or read something older, is refused in the protocol's words", async () => {
  const call = await open(file);
  const raw = "{ gateway: { port: 1 } }";
  for (const name of ["config.set", "config.patch", "config.apply"] as const) {
    await assert.rejects(call(name, { raw }), refusal("config base hash required; re-run config.get and retry"));
    await assert.rejects(
      call(name, { raw, baseHash: hashOf("{}") }),
      refusal("config changed since last load; re-run config.get and retry"),
    );
  }
  assert.equal(await text(), file);
});

test("bad input is refused with its reason and leaves the file alone", async () => {
  const call = await open(file);
  const baseHash = hashOf(file);
  await assert.rejects(call("config.set", { raw: "{ gatway: 1 }", baseHash }), refusal("invalid config"));
  await assert.rejects(call("config.apply", { raw: "{ a", baseHash }), refusal(/^JSON5: .* at 1:4$/u));
  await assert.rejects(call("config.apply", { raw: "[]", baseHash }), refusal("invalid config"));
  await assert.rejects(call("config.patch", { raw: "[]", baseHash }), refusal("config.patch raw must be an object"));
  await assert.rejects(call("config.patch", { raw: "{ __proto__: { a: 1 } }", baseHash }), refusal("invalid config"));
  await assert.rejects(
    call("config.patch", { raw: `{ hooks: { token: "${placeholder}" } }`, baseHash }),
    refusal("there is no secret to keep at hooks.token"),
  );
  assert.equal(await text(), file);
  await writeFile(path, "{ gatway: 1 }");
  await assert.rejects(
    call("config.patch", { raw: "{ gateway: {} }", baseHash: hashOf("{ gatway: 1 }") }),
    refusal("invalid config; fix before patching"),
  );
});

test("what config.get showed can be sent back whole: nothing is lost and no secret is overwritten", async () => {
  const call = await open(file);
  const { raw, hash } = await call("config.get");
  await call("config.set", { raw: `${String(raw)}// added\n`, baseHash: hash });
  assert.equal(await text(), `${file}// added\n`);
  assert.deepEqual(asked, [], "config.set restarts nothing");
  const applied = await call("config.apply", {
    raw: String((await call("config.get"))["raw"]).replace("4711", '4713, mode: "local"'),
    baseHash: hashOf(await text()),
    restartDelayMs: 10 ** 9,
  });
  assert.deepEqual((applied["restart"] as { ok: boolean }).ok, true);
  assert.deepEqual(
    asked.map(({ delayMs }) => delayMs),
    [60_000],
  );
  assert.match(await text(), /4713[\s\S]*canary-token/u);
});

test("the schema and its hints cover every key, secrets marked", async () => {
  const call = await open();
  const { schema, uiHints } = (await call("config.schema")) as {
    schema: { properties: object };
    uiHints: Record<string, Record<string, unknown>>;
  };
  assert.ok("gateway" in schema.properties);
  assert.deepEqual(uiHints["channels.telegram.botToken"], {
    label: "Bot token",
    help: "Bot token from @BotFather",
    group: "Channels",
    order: uiHints["channels.telegram"]?.["order"],
    sensitive: true,
  });
  assert.ok(uiHints["agents.list[].identity.name"]);
});

test("only an administrator may change the config (S11)", () => {
  for (const name of ["config.set", "config.patch", "config.apply", "config.rollback"] as const)
    assert.equal(methodTable[name].scope, "operator.admin");
  for (const name of ["config.get", "config.schema", "config.history"] as const)
    assert.equal(methodTable[name].scope, "operator.read");
});

test("an administrator far away sees the versions and goes back to one, also from a file that is broken or gone (R9)", async () => {
  const call = await open(file);
  await store.keepGood();
  const first = (await call("config.get"))["hash"];
  await call("config.patch", { raw: "{ gateway: { port: 4712 } }", baseHash: first });
  const { versions } = (await call("config.history")) as { versions: Record<string, unknown>[] };
  assert.deepEqual(
    versions.map(({ good, current, valid, changedPaths }) => ({ good, current, valid, changedPaths })),
    [
      { good: true, current: true, valid: true, changedPaths: [] },
      { good: true, current: false, valid: true, changedPaths: ["gateway.port"] },
    ],
  );
  const older = String(versions[1]?.["id"]);

  const shown = await call("config.rollback", { id: older.slice(0, 6), dryRun: true });
  assert.deepEqual(shown["changes"], [{ path: "gateway.port", from: 4712, to: 4711, secret: false }]);
  assert.match(await text(), /4712/u, "nothing was written");
  await assert.rejects(call("config.rollback", { baseHash: first }), refusal(/changed since last load/u));
  await assert.rejects(call("config.rollback", { id: "ffff" }), /there is no version ffff/u);

  const back = await call("config.rollback", { id: older, note: "it was better" });
  assert.deepEqual([await text(), back["applied"], back["changedPaths"]], [file, "listener", ["gateway.port"]]);
  for (const broken of ["{ gateway: ", "{ gatway: {} }"]) {
    await writeFile(path, broken);
    const mended = await call("config.rollback");
    assert.equal(mended["changes"] === null, broken === "{ gateway: ");
    assert.equal((await call("config.get"))["valid"], true);
  }
  await rm(path);
  await call("config.rollback", { id: older });
  assert.equal(await text(), file);
  assert.equal(JSON.stringify(await call("config.history")).includes("canary"), false);
});

test("going back to a version with another secret shows neither", async () => {
  const call = await open(file);
  await store.keepGood();
  const { hash } = await call("config.get");
  await call("config.patch", { raw: '{ gateway: { auth: { token: "second-canary" } } }', baseHash: hash });
  const { versions } = (await call("config.history")) as { versions: { id: string; current: boolean }[] };
  const id = versions.find(({ current }) => !current)?.id;
  const shown = await call("config.rollback", { id, dryRun: true });
  assert.deepEqual(shown["changes"], [
    { path: "gateway.auth.token", from: placeholder, to: placeholder, secret: true },
  ]);
  assert.doesNotMatch(JSON.stringify(await call("config.rollback", { id })), /canary/u);
  assert.equal(await text(), file);
});
