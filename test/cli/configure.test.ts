// `configure`, and `config` alone, at a terminal and without one.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { createCliHome, type CliHome } from "../kit/cli-process.ts";
import { launcher } from "../kit/gateway-process.ts";
import { startModelServer, type ModelServer } from "../kit/model-server.ts";
import { keys, noTerminal, openTerminal, type Terminal } from "../kit/terminal.ts";

const { enter, down, escape, clear } = keys;
const skip = noTerminal;

let models: ModelServer;
before(async () => {
  models = await startModelServer(() => "ok");
});
after(() => models.close());

let home: CliHome;
let terminal: Terminal | undefined;
const file = () => join(home.folder, ".openclaw", "openclaw.json");
beforeEach(async () => {
  home = await createCliHome();
  await home.run(["setup"]);
  await writeFile(file(), `// mine\n${await readFile(file(), "utf8")}`);
});
afterEach(async () => {
  terminal?.kill();
  await terminal?.ended;
  terminal = undefined;
  await home.dispose();
});

function open(...args: string[]): Terminal {
  terminal = openTerminal([process.execPath, launcher, ...args], { env: home.env, cwd: home.folder });
  return terminal;
}
const written = async () => {
  const text = await readFile(file(), "utf8");
  assert.match(text, /^\/\/ mine\n/u, "comments stay");
  return JSON.parse(text.replace("// mine\n", "")) as Record<string, unknown>;
};

test("sections that are named are asked, in one go, and nothing else is touched", { skip }, async () => {
  const asked = open("configure", "--section", "model", "--section", "gateway");
  await asked.answer("Who shall answer?", down, down, down, enter);
  await asked.answer("Address of its API", clear, models.baseUrl, enter);
  await asked.answer("Model", clear, "tiny", enter);
  await asked.expect("ollama/tiny answers.");
  await asked.answer("Port (", clear, "20001", enter);
  await asked.answer("Who can reach the port?", enter);
  await asked.answer("What do clients have to know?", enter);
  assert.equal(await asked.ended, 0);
  assert.deepEqual(await written(), {
    gateway: { mode: "local", port: 20_001, bind: "loopback" },
    agents: { defaults: { workspace: join(home.folder, ".openclaw", "workspace"), model: "ollama/tiny" } },
    models: { providers: { ollama: { baseUrl: models.baseUrl } } },
  });
});

test("config alone asks what shall change; leaving it changes nothing", { skip }, async () => {
  const text = await readFile(file(), "utf8");
  const left = open("config");
  await left.answer("What shall change?", " ", enter);
  await left.answer("Folder that the agent works in", escape);
  assert.equal(await left.ended, 1);
  assert.match(left.shown(), /cancelled: nothing was written/u);
  assert.equal(await readFile(file(), "utf8"), text);

  const moved = open("config");
  await moved.answer("What shall change?", " ", enter);
  await moved.answer("Folder that the agent works in", clear, "~/elsewhere", enter);
  assert.equal(await moved.ended, 0);
  assert.partialDeepStrictEqual(await written(), {
    agents: { defaults: { workspace: join(home.folder, "elsewhere") } },
  });
  assert.match(await readFile(join(home.folder, "elsewhere", "AGENTS.md"), "utf8"), /^# /u);
});

test("health alone writes nothing and says how the Gateway is", { skip }, async () => {
  const asked = open("configure", "--section", "health");
  assert.equal(await asked.ended, 1);
  assert.match(asked.shown(), /Nothing to write\.[^]*next: start it with openclaw gateway/u);
});

test("without a terminal configure says what to use, and config alone shows what there is to type", async () => {
  const refused = await home.run(["configure"]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /^error: configure asks, .*\nnext: .*openclaw config set/u);
  const unknown = await home.run(["configure", "--section", "web"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /--section web: not in this version yet\nnext: use one of: workspace, model, channels/u);
  const bare = await home.run(["config"]);
  assert.equal(bare.code, 0);
  assert.match(bare.stdout, /^Usage: openclaw config[^]*\bset\b/u);
});
