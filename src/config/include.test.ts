import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { redactedConfig } from "./answer.ts";
import { createConfigHistory } from "./history.ts";
import { createSecretPaths } from "./secret-paths.ts";
import { openConfig, type ConfigFiles } from "./store.ts";
import { createConfigWriter } from "./write.ts";

let folder: string;
let files: ConfigFiles;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "include-"));
  await mkdir(join(folder, "parts"));
  const variable = (name: string) => (name === "SET" ? "canary-value" : undefined);
  files = {
    path: join(folder, "openclaw.json"),
    history: createConfigHistory({ folder: join(folder, "history"), clock: systemClock }),
    variable,
  };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const put = (name: string, text: string) => writeFile(join(folder, name), text);
const main = (text: string) => put("openclaw.json", text);
const load = async () => (await openConfig(files)).current();
async function problems(): Promise<string> {
  try {
    await openConfig(files);
  } catch (error) {
    assert.ok(error instanceof Fault && error.code === "config_invalid");
    return error.message;
  }
  return "";
}

test("parts are merged in order: objects merge, lists are joined, the later and what stands beside wins", async () => {
  await put("parts/a.json5", '{ defaults: { model: "a/a", timeoutSeconds: 5 }, list: [{ id: "one" }], /* mine */ }');
  await put("parts/b.json5", '{ defaults: { model: "b/b" }, list: [{ id: "two" }] }');
  await main('{ agents: { $include: ["parts/a.json5", "./parts/b.json5"], defaults: { maxConcurrent: 9 } } }');
  const { agents } = await load();
  assert.deepEqual(
    [agents.defaults.model, agents.defaults.timeoutSeconds, agents.defaults.maxConcurrent],
    ["b/b", 5, 9],
  );
  assert.deepEqual(
    agents.list.map(({ id }) => id),
    ["one", "two"],
  );
  await main('{ agents: { $include: ["parts/a.json5", "parts/b.json5"], list: [{ id: "mine" }] } }');
  assert.deepEqual(
    (await load()).agents.list.map(({ id }) => id),
    ["mine"],
  );
});

test("a part may be any value, and its names are relative to it", async () => {
  await put("parts/list.json", '[{ id: "one" }]');
  await put("parts/agents.json", '{ list: { $include: "list.json" } }');
  await main('{ $include: "base.json5", agents: { $include: "parts/agents.json" } }');
  await put("base.json5", "{ gateway: { port: 4711 } }");
  const { agents, gateway } = await load();
  assert.deepEqual([agents.list[0]?.id, gateway.port], ["one", 4711]);
});

test("a problem is told with the file, line and column where it was written", async () => {
  await put("parts/a.json5", "{\n  list: [{ id: 'one' }],\n  defaults: { timeoutSeconds: 'x' } }");
  await put("parts/b.json5", "{\n\n  list: [{ id: 'two', nme: 1 }] }");
  await main('{ agents: { $include: ["parts/a.json5", "parts/b.json5"] },\n gateway: { prot: 1 } }');
  const told = await problems();
  assert.match(told, /parts\/a\.json5:3:15 agents\.defaults\.timeoutSeconds: must be/u);
  assert.match(told, /parts\/b\.json5:3:23 agents\.list\.1\.nme: unknown key/u);
  assert.match(told, /openclaw\.json:2:13 gateway\.prot: unknown key/u);
  await put("parts/a.json5", "{\n  list: ");
  assert.match(await problems(), /parts\/a\.json5:2:\d+ not JSON5/u);
});

test("what leads outside, in circles, too deep or nowhere is refused at its place", async () => {
  const outside = await mkdtemp(join(tmpdir(), "outside-"));
  await writeFile(join(outside, "x.json"), "{}");
  await symlink(join(outside, "x.json"), join(folder, "link.json"));
  await put("parts/self.json", '{ $include: "../parts/other.json" }');
  await put("parts/other.json", '{ $include: "self.json" }');
  for (let depth = 0; depth < 12; depth += 1) await put(`deep${depth}.json`, `{ $include: "deep${depth + 1}.json" }`);
  await put("scalar.json", "5");
  await put("empty.json", "{}");
  const cases: [string, RegExp][] = [
    ['"../outside.json"', /openclaw\.json:1:3 \$include: .* is outside of the config's folder/u],
    [`"${join(outside, "x.json")}"`, /is outside of the config's folder/u],
    ['"link.json"', /is outside of the config's folder/u],
    ['"parts/self.json"', /parts\/other\.json:1:3 \$include: .* self\.json -> other\.json -> self\.json/u],
    ['"openclaw.json"', /includes itself: openclaw\.json -> openclaw\.json/u],
    ['"deep0.json"', /deep9\.json:1:3 \$include: included more than 10 files deep/u],
    ['"missing.json"', /there is no file missing\.json/u],
    ["5", /takes the name of a file/u],
    ['"scalar.json"', /must be an object/u],
    [JSON.stringify(Array.from({ length: 101 }, () => "empty.json")), /more than 100 files are included/u],
    ['"parts"', /the file cannot be read \(EISDIR\)/u],
  ];
  for (const [include, expected] of cases) {
    await main(`{ $include: ${include} }`);
    assert.match(await problems(), expected);
  }
  await put("parts/proto.json", '{ "__proto__": { "polluted": 1 } }');
  await main('{ agents: { $include: "parts/proto.json" } }');
  assert.match(await problems(), /__proto__: this key is not allowed/u);
  await rm(outside, { recursive: true });
});

test("a changed part counts, a broken one does not, and the last good copy holds all of it", async () => {
  await put("parts/a.json5", "{ port: 4711 }");
  await main('{ gateway: { $include: "parts/a.json5" } }');
  const store = await openConfig(files);
  assert.deepEqual(store.snapshot().parts, [join(folder, "parts/a.json5")]);
  const same = store.snapshot();
  assert.equal(await store.reload(), same, "nothing changed");
  await put("parts/a.json5", "{ port: 4712 }");
  assert.equal((await store.reload()).config.gateway.port, 4712);
  await store.keepGood();
  await rm(join(folder, "parts/a.json5"));
  assert.deepEqual([(await store.reload()).isValid, store.current().gateway.port], [false, 4712]);
  assert.deepEqual(store.snapshot().parts, [join(folder, "parts/a.json5")], "it is still waited for");
  assert.equal((await openConfig(files)).current().gateway.port, 4712, "a start does the same");
});

test("writers leave $include and the parts as they are, and check the whole", async () => {
  await put("parts/a.json5", '{ token: "${SET}" }');
  await main('{ gateway: { auth: { $include: "parts/a.json5" } } }');
  const writer = createConfigWriter({ files, clock: systemClock });
  await writer.write(() => '{ gateway: { auth: { $include: "parts/a.json5" }, port: 5 } }');
  assert.equal(await readFile(join(folder, "parts/a.json5"), "utf8"), '{ token: "${SET}" }');
  await assert.rejects(
    writer.write(() => '{ logging: { $include: "parts/a.json5" } }'),
    Fault,
  );
  const source = await writer.read();
  assert.equal(source.config?.gateway.auth.token, "canary-value");
  const shown = JSON.stringify(redactedConfig(source, createSecretPaths()));
  assert.doesNotMatch(shown, /canary/u, "variables are shown as they are written, in parts too");
  await put("parts/a.json5", '{ token: "hunter2-hunter2" }');
  assert.doesNotMatch(JSON.stringify(redactedConfig(await writer.read(), createSecretPaths())), /hunter2/u);
});
