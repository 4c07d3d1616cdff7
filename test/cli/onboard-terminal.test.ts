// `onboard` as a person meets it: questions at a terminal, keys pressed, nothing edited by hand.

import assert from "node:assert/strict";
import { mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { createCliHome, type CliHome } from "../kit/cli-process.ts";
import { freePort, launcher } from "../kit/gateway-process.ts";
import { startModelServer, type ModelServer } from "../kit/model-server.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";
import { keys, noTerminal, openTerminal, type Terminal } from "../kit/terminal.ts";

const { enter, down, escape, interrupt, clear } = keys;
const skip = noTerminal;

let models: ModelServer;
let said: string | number = "I am the model.";
let telegram: FakeTelegram;
before(async () => {
  models = await startModelServer(() => said);
  telegram = await startFakeTelegram();
});
after(async () => {
  await models.close();
  await telegram.close();
});

let home: CliHome;
let env: NodeJS.ProcessEnv;
const terminals: Terminal[] = [];
beforeEach(async () => {
  said = "I am the model.";
  telegram.react = () => undefined;
  home = await createCliHome();
  // systemd is not asked here: there is a test of its own for that
  env = { ...home.env, PATH: home.folder + "/bin", OPENCLAW_GATEWAY_PORT: String(await freePort()) };
});
afterEach(async () => {
  for (const terminal of terminals.splice(0)) {
    terminal.kill();
    await terminal.ended;
  }
  await home.dispose();
});

function open(args: readonly string[], more: NodeJS.ProcessEnv = {}): Terminal {
  const python = { PATH: process.env["PATH"] };
  const whole = { ...env, ...python, ...more };
  const terminal = openTerminal([process.execPath, launcher, ...args], { env: whole, cwd: home.folder });
  terminals.push(terminal);
  return terminal;
}

const at = (...parts: string[]) => join(home.folder, ...parts);
const config = async (folder = ".openclaw"): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(at(folder, "openclaw.json"), "utf8")) as Record<string, unknown>;
const nothingWritten = async () => assert.deepEqual(await readdir(home.folder), []);

test("from nothing to a first answer of a real model, and on chatting, in under a minute (R29)", { skip }, async () => {
  const startedAt = Date.now();
  const terminal = open(["onboard", "--no-install-daemon"]);
  await terminal.answer("Go on?", enter);
  await terminal.answer("How much do you want to decide?", enter);
  await terminal.answer("Who shall answer?", down, down, down, down, enter);
  await terminal.answer("Address of its API", clear, models.baseUrl, enter);
  await terminal.answer("Does it need a key?", "y");
  await terminal.answer("Key for", "canary-key", enter);
  await terminal.answer("Model", "tiny", enter);
  await terminal.expect("custom/tiny answers.");
  await terminal.answer("Where shall people write to it?", down, down, enter);
  await terminal.expect("custom/tiny says:");
  await terminal.expect("I am the model.");
  await terminal.answer("Keep the Gateway running", enter);
  await terminal.expect("It runs until Ctrl-C.");
  const again = await home.run(["agent", "--message", "hello"], { env });
  assert.deepEqual([again.code, again.stdout], [0, "I am the model.\n"]);
  assert.ok(Date.now() - startedAt < 60_000, `${Date.now() - startedAt} ms`);
  assert.doesNotMatch(terminal.shown(), /canary/u);

  terminal.type(interrupt);
  assert.equal(await terminal.ended, 0);
  assert.deepEqual(await config(), {
    gateway: { mode: "local" },
    agents: { defaults: { workspace: at(".openclaw", "workspace"), model: "custom/tiny" } },
    models: { providers: { custom: { baseUrl: models.baseUrl, apiKey: "canary-key" } } },
  });
});

test("whoever leaves leaves nothing behind: Ctrl-C or Escape at any question", { skip }, async () => {
  const path: readonly (readonly [question: string, ...typed: string[]])[] = [
    ["Go on?", enter],
    ["How much do you want to decide?", down, enter],
    ["Where does the Gateway run?", enter],
    ["Who shall answer?", down, down, down, down, down, enter],
    ["Where shall people write to it?", down, down, enter],
    ["Folder that the agent works in", enter],
    ["Port (", enter],
    ["Who can reach the port?", enter],
    ["What do clients have to know?", down, enter],
    ["Password", "canary", enter],
  ];
  for (const [index, [question]] of path.entries()) {
    const terminal = open(["onboard"]);
    for (const [earlier, ...typed] of path.slice(0, index)) await terminal.answer(earlier, ...typed);
    await terminal.answer(question, index % 2 === 0 ? interrupt : escape);
    assert.equal(await terminal.ended, 1, question);
    assert.match(terminal.shown(), /cancelled: nothing was written/u);
    await nothingWritten();
  }
});

test("no at the first question ends it, and writes nothing", { skip }, async () => {
  const terminal = open(["setup", "--wizard"]);
  await terminal.answer("Go on?", "n");
  assert.equal(await terminal.ended, 1);
  await nothingWritten();
});

test("a key and a token that do not work are told at once, and can be typed again", { skip }, async () => {
  await mkdir(at(".openclaw"));
  const own = {
    channels: { telegram: { enabled: false, apiRoot: telegram.apiRoot } },
    models: { providers: { openai: { baseUrl: models.baseUrl, api: "openai-completions" } } },
  };
  await writeFile(at(".openclaw", "openclaw.json"), `// mine\n${JSON.stringify(own)}`);
  const terminal = open(["onboard", "--accept-risk", "--flow", "quickstart", "--no-install-daemon"]);
  await terminal.answer("There is a config", enter);
  said = 401;
  await terminal.answer("Who shall answer?", down, enter);
  await terminal.answer("Key for OpenAI", "canary-bad", enter);
  await terminal.answer("Model", enter);
  await terminal.expect("the provider refuses the API key (HTTP 401)");
  said = "Better.";
  await terminal.answer("What now?", enter);
  await terminal.answer("Who shall answer?", down, enter);
  await terminal.answer("Key for OpenAI", "canary-good", enter);
  await terminal.answer("Model", enter);
  await terminal.expect("openai/gpt-5.2 answers.");

  await terminal.answer("Where shall people write to it?", down, enter);
  await terminal.expect("WhatsApp is on its way");
  await terminal.answer("Where shall people write to it?", enter);
  telegram.react = () => ({ error: { error_code: 401, description: "Unauthorized" } });
  await terminal.answer("Bot token", "123456:BBBBBBBBBBBBBBBBBBBB", enter);
  await terminal.expect("Telegram refuses the token (Unauthorized)");
  telegram.react = () => undefined;
  await terminal.answer("What now?", enter);
  await terminal.answer("Bot token", telegram.token, enter);
  await terminal.expect("The bot is @the_bot.");
  await terminal.expect("Write to @the_bot");
  await terminal.expect("openclaw pairing approve telegram <code>");
  await terminal.answer("Keep the Gateway running", "n");
  assert.equal(await terminal.ended, 0);

  assert.doesNotMatch(terminal.shown(), /canary|AAAA|BBBB/u);
  const text = await readFile(at(".openclaw", "openclaw.json"), "utf8");
  assert.match(text, /^\/\/ mine\n/u);
  assert.match(text, /canary-good/u);
  assert.doesNotMatch(text, /canary-bad|BBBB/u);
  assert.equal((await stat(at(".openclaw", "openclaw.json"))).mode & 0o777, 0o600);
});

test("a key of the terminal is copied into the config, or stays where it is, as its owner says", { skip }, async () => {
  const keyed = { OPENAI_API_KEY: "canary-env" };
  const start = async () => {
    const terminal = open(
      [
        "--profile",
        "p",
        "onboard",
        "--accept-risk",
        "--flow",
        "quickstart",
        "--no-install-daemon",
        "--no-check",
        "--skip-channels",
        "--skip-health",
      ],
      keyed,
    );
    return terminal;
  };
  const stays = await start();
  await stays.answer("Who shall answer?", enter);
  await stays.answer("OPENAI_API_KEY is set in this terminal", down, enter);
  await stays.answer("Model", enter);
  assert.equal(await stays.ended, 0);
  assert.ok(!("models" in (await config(".openclaw-p"))));

  const copied = await start();
  await copied.answer("There is a config", enter);
  await copied.answer("Who shall answer?", enter);
  await copied.answer("OPENAI_API_KEY is set in this terminal", enter);
  await copied.answer("Model", enter);
  assert.equal(await copied.ended, 0);
  assert.partialDeepStrictEqual(await config(".openclaw-p"), {
    models: { providers: { openai: { apiKey: "canary-env" } } },
    agents: { defaults: { model: "openai/gpt-5.2" } },
  });
  assert.doesNotMatch(stays.shown() + copied.shown(), /canary/u);
});

test("a profile beside others is offered a port away from them (MG-18)", { skip }, async () => {
  const args = [
    "--profile",
    "rescue",
    "onboard",
    "--accept-risk",
    "--flow",
    "quickstart",
    "--no-install-daemon",
    "--skip-channels",
    "--skip-health",
    "--auth-choice",
    "skip",
  ];
  const terminal = open(args, { OPENCLAW_GATEWAY_PORT: "" });
  await terminal.answer("Port (at least 20 away", clear, "18800", enter);
  await terminal.expect("too near to another Gateway's port");
  terminal.type(clear);
  terminal.type("20001");
  terminal.type(enter);
  assert.equal(await terminal.ended, 0);
  assert.partialDeepStrictEqual(await config(".openclaw-rescue"), { gateway: { port: 20_001 } });
});

test("a config with errors stops, or is begun anew with its text kept", { skip }, async () => {
  await mkdir(at(".openclaw"));
  const file = at(".openclaw", "openclaw.json");
  await writeFile(file, "{ gateway: { port: 'many' } }");
  const args = [
    "onboard",
    "--accept-risk",
    "--flow",
    "quickstart",
    "--no-install-daemon",
    "--skip-channels",
    "--skip-health",
    "--auth-choice",
    "skip",
  ];
  const stopped = open(args);
  await stopped.expect("openclaw.json:1:14");
  await stopped.answer("There is a config", enter);
  assert.equal(await stopped.ended, 1);
  assert.equal(await readFile(file, "utf8"), "{ gateway: { port: 'many' } }");

  const anew = open(args);
  await anew.answer("There is a config", down, enter);
  assert.equal(await anew.ended, 0);
  assert.partialDeepStrictEqual(await config(), { gateway: { mode: "local" } });
  assert.equal(await readFile(`${file}.bak`, "utf8"), "{ gateway: { port: 'many' } }");
});
