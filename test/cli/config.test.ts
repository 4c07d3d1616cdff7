// `config get|set|unset|validate` on a file, with no Gateway about.

import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";

let machine: GatewayProcess;
let file: string;
before(async () => {
  machine = await createGatewayProcess();
  file = join(machine.folder, "state", "openclaw.json");
});
after(() => machine?.dispose());

const run = async (...args: string[]) => machine.cli("config", ...args);

test("a key is set, read and taken out, and the remarks in the file stay", async () => {
  await writeFile(file, "// mine\n{ gateway: { mode: 'local' } } // end\n");
  const set = await run("set", "gateway.port", "19005");
  assert.deepEqual(set, {
    code: 0,
    stdout: "Updated gateway.port. A running gateway takes it up by itself.\n",
    stderr: "",
  });
  assert.equal(await readFile(file, "utf8"), "// mine\n{ gateway: { mode: 'local', port: 19005 } } // end\n");
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await run("get", "gateway.port")).stdout, "19005\n");
  assert.equal((await run("get", "gateway.bind")).stdout, "loopback\n", "a default is in effect too");
  assert.equal((await run("unset", "gateway.port")).code, 0);
  assert.equal(await readFile(file, "utf8"), "// mine\n{ gateway: { mode: 'local' } } // end\n");
});

test("a token of digits is a text, a list is a list, and --json insists", async () => {
  await writeFile(file, "{}");
  for (const [path, value] of [
    ["gateway.auth.token", "123456"],
    ["channels.telegram.allowFrom", "[7, 8]"],
    ["channels.telegram.botToken", "1:abc"],
  ] as const)
    assert.equal((await run("set", path, value)).code, 0, path);
  assert.deepEqual(JSON.parse(await readFile(file, "utf8")), {
    gateway: { auth: { token: "123456" } },
    channels: { telegram: { allowFrom: [7, 8], botToken: "1:abc" } },
  });
  assert.equal((await run("set", "gateway.auth.token", "7", "--json")).code, 1);
  const shown = await run("get", "gateway.auth");
  assert.deepEqual(JSON.parse(shown.stdout), { token: "__OPENCLAW_REDACTED__" });
  assert.equal((await run("get", "gateway.auth.token")).stdout, "123456\n");
});

test("a value that is not allowed is refused with the reason, and a path that is not there with its name", async () => {
  await writeFile(file, "{ gateway: { port: 1 } }");
  const refused = await run("set", "gateway.prot", "2");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /- gateway\.prot: unknown key; did you mean port\?[\s\S]*error: invalid config/u);
  assert.equal(await readFile(file, "utf8"), "{ gateway: { port: 1 } }");
  for (const name of ["get", "unset"]) {
    const missing = await run(name, "gateway.nothing");
    assert.deepEqual([missing.code, missing.stdout], [1, ""]);
    assert.match(missing.stderr, /Config path not found: gateway\.nothing/u);
  }
});

test("a broken file is mended with the same commands, one problem after the other", async () => {
  await writeFile(file, "{ gatway: 1, gateway: { port: 'x' } }");
  assert.equal((await run("validate")).code, 1);
  const first = await run("set", "gateway.port", "7");
  assert.equal(first.code, 0);
  assert.match(first.stderr, /warning: .*gatway: unknown key/u);
  assert.equal((await run("unset", "gatway")).stderr, "");
  assert.deepEqual([(await run("validate")).code, await readFile(file, "utf8")], [0, "{ gateway: { port: 7 } }"]);

  await writeFile(file, "{ gateway: ");
  const broken = await run("set", "gateway.port", "7");
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /openclaw\.json:1:\d+ not JSON5/u);
  assert.equal(await readFile(file, "utf8"), "{ gateway: ", "what cannot be read is never written over");
});

test("scripts are answered in JSON by what changes, too", async () => {
  await writeFile(file, "{}");
  const set = await run("set", "gateway.port", "19005", "--json");
  assert.deepEqual(JSON.parse(set.stdout), { ok: true, path: file, set: "gateway.port" });
  const unset = await run("unset", "gateway.port", "--json");
  assert.deepEqual(JSON.parse(unset.stdout), { ok: true, path: file, unset: "gateway.port" });
});

test("the file and the schema can be asked for", async () => {
  await writeFile(file, "{}");
  assert.equal((await run("file")).stdout, `${file}\n`);
  assert.deepEqual(JSON.parse((await run("file", "--json")).stdout), { path: file, exists: true });
  const { stdout, code } = await run("schema");
  const schema = JSON.parse(stdout) as { properties: Record<string, unknown> };
  assert.equal(code, 0);
  assert.ok(["gateway", "agents", "channels"].every((name) => name in schema.properties));
});

test("a list that is not there yet is made, a refusal says what to do here, and a broken file names the way back", async () => {
  await writeFile(file, "{}");
  assert.equal((await run("set", "agents.list[0].id", "ops")).code, 0);
  assert.equal((await run("set", "agents.list[1].identity.name", "Molly")).code, 1, "an agent needs its id");
  assert.equal((await run("set", 'channels.telegram.groups["-100"].enabled', "true")).code, 0);
  assert.deepEqual(JSON.parse(await readFile(file, "utf8")), {
    agents: { list: [{ id: "ops" }] },
    channels: { telegram: { groups: { "-100": { enabled: true } } } },
  });
  const refused = await run("set", "gateway.port", "x");
  assert.match(refused.stderr, /- gateway\.port: must be integer.*\nerror: invalid config\nnext: nothing was written/u);
  assert.doesNotMatch(refused.stderr, /details\.issues/u);
  assert.match((await run("get", "gateway.nothing")).stderr, /next: .*config get <section>/u);

  await writeFile(file, "{ gateway: ");
  for (const args of [
    ["get", "gateway.port"],
    ["set", "gateway.port", "1"],
    ["unset", "gateway.port"],
  ])
    assert.match((await run(...args)).stderr, /openclaw\.json:1:\d+ not JSON5[\s\S]*next: .*config rollback/u, args[0]);
});

test("what an included file holds is shown also while something is wrong with it, and is taken out there", async () => {
  const part = join(machine.folder, "state", "agents.json5");
  await writeFile(file, "{ agents: { $include: './agents.json5' } }");
  await writeFile(part, "{ defaults: { timeoutSeconds: 'x', maxConcurrent: 3 } }");
  assert.equal((await run("get", "agents.defaults.maxConcurrent")).stdout, "3\n");
  const missing = await run("get", "agents.defaults.model");
  assert.match(missing.stderr, /warning: .*agents\.json5:1:\d+ agents\.defaults\.timeoutSeconds: must be integer/u);
  await writeFile(part, "{ defaults: { maxConcurrent: 3 } }");
  const inPart = await run("unset", "agents.defaults.maxConcurrent");
  assert.deepEqual([inPart.code, inPart.stdout], [1, ""]);
  assert.match(inPart.stderr, /stands in a file that the config includes\nnext: take it out there: agents\.json5/u);
});
