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

test("the file and the schema can be asked for", async () => {
  await writeFile(file, "{}");
  assert.equal((await run("file")).stdout, `${file}\n`);
  assert.deepEqual(JSON.parse((await run("file", "--json")).stdout), { path: file, exists: true });
  const { stdout, code } = await run("schema");
  const schema = JSON.parse(stdout) as { properties: Record<string, unknown> };
  assert.equal(code, 0);
  assert.ok(["gateway", "agents", "channels"].every((name) => name in schema.properties));
});
