// `config history` and `config rollback` on files, with no Gateway about.

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";

let machine: GatewayProcess;
let state: string;
let file: string;
before(async () => {
  machine = await createGatewayProcess();
  state = join(machine.folder, "state");
  file = join(state, "openclaw.json");
});
after(() => machine?.dispose());

const run = (...args: string[]) => machine.cli("config", ...args);
interface Version {
  readonly id: string;
  readonly good: boolean;
  readonly current: boolean;
  readonly valid: boolean;
  readonly changedPaths: string[] | null;
}
async function versions(): Promise<Version[]> {
  const { stdout, code } = await run("history", "--json");
  assert.equal(code, 0);
  return (JSON.parse(stdout) as { versions: Version[] }).versions;
}
const text = () => readFile(file, "utf8");
async function begin(first: string) {
  await rm(join(state, "config-history"), { recursive: true, force: true });
  await writeFile(file, first);
}

test("what a writer replaces can be put back, to the letter, and a rollback can be rolled back", async () => {
  const first = "// mine\n{ gateway: { mode: 'local', port: 1 } } // end\n";
  await begin(first);
  await run("set", "gateway.port", "2");
  const second = await text();
  const dry = await run("rollback", "--dry-run");
  assert.match(dry.stdout, /Would put version [0-9a-f]{16} of .*\n {2}gateway\.port: 2 -> 1\n/u);
  assert.equal(await text(), second);
  assert.equal((await run("rollback")).code, 0);
  assert.equal(await text(), first);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await run("rollback");
  assert.equal(await text(), second);
  const { stdout } = await run("rollback", "--json");
  assert.partialDeepStrictEqual(JSON.parse(stdout), {
    path: file,
    dryRun: false,
    changes: [{ path: "gateway.port", from: 2, to: 1, isSecret: false }],
  });
  assert.equal(await text(), first);
});

test("secrets are in no output, and that they change is said", async () => {
  await begin("{ gateway: { auth: { token: 'canary-one-secret' } } }");
  await run("set", "gateway.auth.token", "canary-two-secret");
  for (const args of [["history"], ["history", "--json"], ["rollback", "--dry-run"], ["rollback", "--json"]]) {
    const { stdout, stderr } = await run(...args);
    assert.doesNotMatch(stdout + stderr, /canary/u, args.join(" "));
    assert.match(stdout, /gateway\.auth\.token/u);
  }
  assert.match(await text(), /canary-one-secret/u);
});

test("a broken file and one that is gone are put back; a version with errors only by force", async () => {
  await begin("{ gateway: { port: 1 } }");
  await run("set", "gateway.port", "2");
  const wrong = "{ gateway: { prot: 3 } }";
  await writeFile(file, wrong);
  assert.match((await run("rollback")).stdout, /gateway\.prot: 3 -> \(not set\)/u);
  assert.match(await text(), /port: 1/u);
  const bad = (await versions()).find(({ valid }) => !valid);
  assert.ok(bad);
  const refused = await run("rollback", bad.id);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /openclaw\.json:1:14 gateway\.prot: unknown key/u);
  assert.equal((await run("rollback", bad.id.slice(0, 8), "--force")).code, 0);
  assert.equal(await text(), wrong);
  await rm(file);
  assert.equal((await run("rollback")).code, 0);
  assert.match(await text(), /port: 1/u);
});

test("a file that cannot be parsed is put back whole, and what is not there is said", async () => {
  await begin("{ gateway: { port: 1 } }");
  assert.match((await run("rollback")).stderr, /no earlier version of the config/u);
  assert.equal((await run("rollback")).code, 1);
  await run("set", "gateway.port", "2");
  await writeFile(file, "{ gateway: {");
  assert.match((await run("rollback", "--dry-run")).stdout, /the whole file: what is there now cannot be parsed/u);
  assert.deepEqual(
    (await versions()).map(({ changedPaths }) => changedPaths),
    [null],
  );
  assert.equal((await run("rollback")).code, 0);
  const unknown = await run("rollback", "ffffffffffff");
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /there is no version ffffffffffff/u);
});

test("parts that are included come back with their file", async () => {
  await mkdir(join(state, "parts"), { recursive: true });
  const part = join(state, "parts", "gate.json5");
  await begin('{ gateway: { $include: "./parts/gate.json5" }, logging: { level: "info" } }');
  await writeFile(part, "{ port: 1 } // mine");
  await run("set", "logging.level", "debug");
  await writeFile(part, "{ port: 2 }");
  assert.match((await run("rollback")).stdout, /gateway\.port: 2 -> 1/u);
  assert.equal(await readFile(part, "utf8"), "{ port: 1 } // mine");
  assert.equal(await readFile(`${part}.bak`, "utf8"), "{ port: 2 }");
  assert.match(await text(), /level: "info"/u);
  await run("rollback");
  assert.equal(await readFile(part, "utf8"), "{ port: 2 }");
});

test("two configs in one folder over one state have versions of their own (MG-30, MG-31)", async () => {
  const at = (name: string, ...args: string[]) => {
    const env = { ...machine.env, OPENCLAW_CONFIG_PATH: join(machine.folder, name) };
    return runWith(env, ...args);
  };
  for (const [name, port] of [
    ["a.json", 1],
    ["b.json", 2],
  ] as const) {
    await writeFile(join(machine.folder, name), `{ gateway: { port: ${port} } }`);
    await at(name, "set", "gateway.port", String(port + 10));
  }
  await at("a.json", "rollback");
  assert.match(await readFile(join(machine.folder, "a.json"), "utf8"), /port: 1 /u);
  assert.match(await readFile(join(machine.folder, "b.json"), "utf8"), /port: 12 /u);
  const folders = (await readdir(state)).filter((name) => name.startsWith("config-history-"));
  assert.equal(folders.length, 2);
});

async function runWith(env: NodeJS.ProcessEnv, ...args: string[]) {
  const usual = { ...machine.env };
  Object.assign(machine.env, env);
  try {
    return await machine.cli("config", ...args);
  } finally {
    for (const name of Object.keys(machine.env)) if (!(name in usual)) delete machine.env[name];
    Object.assign(machine.env, usual);
  }
}

test("six saves leave the file's five copies, the newest first", async () => {
  await begin("{ gateway: { port: 1 } }");
  for (let port = 2; port <= 8; port += 1) await run("set", "gateway.port", String(port));
  const copies = [".bak", ".bak.1", ".bak.2", ".bak.3", ".bak.4"].map((name) => readFile(`${file}${name}`, "utf8"));
  assert.deepEqual(
    (await Promise.all(copies)).map((copy) => /port: (\d)/u.exec(copy)?.[1]),
    ["7", "6", "5", "4", "3"],
  );
  await assert.rejects(stat(`${file}.bak.5`));
});
