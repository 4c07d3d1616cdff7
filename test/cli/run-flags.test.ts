// The flags of `gateway run`, each in a real process: what they do, and what is said to those that make no sense.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { createFakeTools, type FakeTools } from "../kit/fake-tools.ts";
import { createGatewayProcess, freePort, launcher, type GatewayProcess } from "../kit/gateway-process.ts";

let folder = "";
let tools: FakeTools;
const started: GatewayProcess[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "run-flags-"));
  tools = await createFakeTools(folder);
});
after(async () => {
  await Promise.all(started.map((gateway) => gateway.dispose()));
  await rm(folder, { recursive: true, force: true });
});

async function create(options: Parameters<typeof createGatewayProcess>[0]): Promise<GatewayProcess> {
  const gateway = await createGatewayProcess(options);
  started.push(gateway);
  return gateway;
}

const logText = async ({ folder: home }: GatewayProcess) => {
  const names = await readdir(join(home, "log"));
  return (await Promise.all(names.map((name) => readFile(join(home, "log", name), "utf8")))).join("");
};

test("a port that is none is told first, with or without a config", async () => {
  const gateway = await create({ env: { OPENCLAW_GATEWAY_PORT: "abc" } });
  await rm(join(gateway.folder, "state", "openclaw.json"));
  const flag = await gateway.cli("gateway", "--port", "-1");
  assert.deepEqual([flag.code, flag.stderr.split("\n")[0]], [2, "error: Invalid port: -1"]);
  const variable = await gateway.cli("gateway");
  assert.deepEqual([variable.code, variable.stderr.split("\n")[0]], [2, "error: Invalid port: abc"]);
  const neither = await gateway.cli("gateway", "--port", "0");
  assert.match(neither.stderr, /^error: Missing config: /u);
});

test("a flag that makes no sense starts nothing and says what it takes", async () => {
  const gateway = await create({});
  const cases: [string[], number, RegExp][] = [
    [["--auth", "none"], 2, /^error: Invalid --auth: none\nnext: use one of: "token", "password"\n$/u],
    [["--tailscale", "on"], 2, /^error: Invalid --tailscale: on\nnext: use one of: "off", "serve", "funnel"\n$/u],
    [["--ws-log", "loud"], 2, /^error: Invalid --ws-log: loud\nnext: use one of: "auto", "full", "compact"\n$/u],
    [["--bind", "everywhere"], 2, /^error: Invalid --bind: everywhere\n/u],
    [["--port", "99999"], 2, /^error: Invalid port: 99999\n/u],
    [["--reset"], 2, /^error: Use --reset with --dev\.\n$/u],
    [["--password-file", "/nowhere/at/all"], 2, /^error: --password-file cannot be read: .*ENOENT/u],
    [
      ["--auth", "password"],
      1,
      /^error: gateway auth mode is password, and no password is set\nnext: .*OPENCLAW_GATEWAY_PASSWORD/u,
    ],
    [["--tailscale", "funnel"], 1, /^error: tailscale funnel requires a password.*\nnext: set gateway\.auth\.mode/u],
    [
      ["--tailscale", "serve", "--bind", "lan"],
      1,
      /^error: tailscale serve requires gateway\.bind loopback, and it is lan\n/u,
    ],
  ];
  for (const [args, expected, words] of cases) {
    const { code, stdout, stderr } = await gateway.cli("gateway", ...args);
    assert.equal(code, expected, args.join(" "));
    assert.equal(stdout, "", args.join(" "));
    assert.match(stderr, words);
  }
});

test("without a mode, or as a client only, the start is blocked with the next step", async () => {
  const gateway = await create({});
  const path = join(gateway.folder, "state", "openclaw.json");
  const attempt = async (text: string | undefined) => {
    await rm(path, { force: true });
    await rm(join(gateway.folder, "state", "config-history"), { recursive: true, force: true });
    if (text !== undefined) await writeFile(path, text);
    const { code, stderr } = await gateway.cli("gateway");
    assert.equal(code, 1);
    return stderr;
  };
  assert.match(
    await attempt(undefined),
    /^error: Missing config: .*openclaw\.json\nnext: run openclaw setup, or set gateway\.mode=local there, or pass --allow-unconfigured\n$/u,
  );
  assert.match(
    await attempt("{}"),
    /^error: Gateway start blocked: set gateway\.mode=local \(current: unset\) or pass --allow-unconfigured\.\nnext: openclaw config set gateway\.mode local\n$/u,
  );
  assert.match(
    await attempt('{gateway:{mode:"remote",remote:{url:"wss://x.example"}}}'),
    /^error: Gateway start blocked: set gateway\.mode=local \(current: remote, a client only\)\n/u,
  );
});

test("a token on the command line counts, is warned about, and is written nowhere", async () => {
  const gateway = await create({ args: ["--token", "typed-by-hand-4711"], env: { OPENCLAW_GATEWAY_TOKEN: "" } });
  await gateway.start();
  assert.equal((await gateway.cli("health", "--token", "typed-by-hand-4711")).code, 0);
  assert.match(
    gateway.output(),
    /others on this machine can read --token in the list of processes; OPENCLAW_GATEWAY_TOKEN/u,
  );
  await gateway.stop();
  assert.doesNotMatch(gateway.output() + (await logText(gateway)), /typed-by-hand/u);
});

test("--password-file gives the password, and --auth says which of two secrets counts", async () => {
  const file = join(folder, "password");
  await writeFile(file, "correct horse battery\n", { mode: 0o600 });
  const gateway = await create({ args: ["--password-file", file] });
  await gateway.start();
  const code = async (...args: string[]) => (await gateway.cli("health", ...args)).code;
  assert.equal(await code("--password", "correct horse battery"), 0);
  assert.equal(await code("--token", gateway.token), 1);
  assert.equal(await gateway.stop(), 0);
  assert.doesNotMatch(gateway.output() + (await logText(gateway)), /correct horse/u);

  const both = await create({ args: ["--auth", "token", "--password-file", file] });
  await both.start();
  assert.equal((await both.cli("health", "--token", both.token)).code, 0);
  assert.equal((await both.cli("health", "--password", "correct horse battery")).code, 1);
});

test("--tailscale serve is asked of the tailscale program, and undone at exit when that was wished", async () => {
  await tools.write("tailscale", "exit 0");
  const gateway = await create({
    args: ["--tailscale", "serve", "--tailscale-reset-on-exit"],
    env: { PATH: tools.path },
  });
  await gateway.start();
  assert.deepEqual(await tools.calls(), [`tailscale serve --bg --yes ${gateway.port}`]);
  assert.equal(await gateway.stop(), 0);
  assert.deepEqual(await tools.calls(), ["tailscale serve reset"]);
});

test("a tailscale that refuses stops nothing: health says why, in its own words", async () => {
  await tools.write("tailscale", 'echo "Serve is not enabled on your tailnet." >&2; exit 1');
  const gateway = await create({ args: ["--tailscale", "serve"], env: { PATH: tools.path } });
  await gateway.start();
  // a snapshot that was made before it refused is shown for a second
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const { code, stdout } = await gateway.cli("health");
  assert.equal(code, 0);
  assert.match(stdout, /problem: tailscale: tailscale serve .*: Serve is not enabled on your tailnet\./u);
});

test("--verbose shows handshake, calls and events on the console and leaves the file as it was; --ws-log shapes them (RB-05, RB-20, OV-08, VG-02)", async () => {
  const say = async (...args: string[]) => {
    const gateway = await create({ args });
    await gateway.start();
    await gateway.cli("health");
    await gateway.cli("gateway", "call", "no.such");
    await gateway.cli("agent", "-m", "hello");
    await gateway.stop();
    return { shown: gateway.output(), written: await logText(gateway) };
  };
  const usual = await say();
  assert.doesNotMatch(usual.shown, /client connected|res ✓ health|event health/u);
  assert.match(usual.shown, /\[ws\] ⇄ res ✗ no\.such \d+ms conn=\S+ id=\S+ errorCode=INVALID_REQUEST/u);

  const verbose = await say("--verbose");
  for (const words of [/socket opened/u, /client connected .*auth=token/u, /⇄ res ✓ health \d+ms/u, /← event agent/u])
    assert.match(verbose.shown, words);
  assert.doesNotMatch(verbose.written, /client connected|res ✓ health|event agent/u);

  const full = await say("--verbose", "--ws-log", "full");
  assert.match(full.shown, /→ req agent .*params=.*hello/u);
  assert.match(full.shown, /← res ✓ health .*payload=/u);
  assert.match(full.shown, /← event agent .*payload=/u);

  const compact = await say("--verbose", "--compact");
  assert.match(compact.shown, /⇄ res ✓ health/u);
  assert.doesNotMatch(compact.shown, /← event/u);
});

test("--raw-stream keeps what models stream, for its owner alone; --claude-cli-logs is accepted", async () => {
  const file = join(folder, "raw", "stream.jsonl");
  const gateway = await create({ args: ["--raw-stream-path", file, "--claude-cli-logs"] });
  await gateway.start();
  await gateway.cli("agent", "-m", "hello");
  const lines = (await readFile(file, "utf8")).trim().split("\n");
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const types = lines.map((line) => (JSON.parse(line) as { type: string }).type);
  assert.deepEqual([types[0], types.at(-1)], ["start", "end"]);
  assert.ok(types.filter((type) => type === "text").length > 5);
  assert.match(gateway.output(), /--claude-cli-logs has nothing to show/u);

  const usual = await create({ args: ["--raw-stream"] });
  await usual.start();
  await usual.cli("agent", "-m", "hello");
  assert.ok(existsSync(join(usual.folder, "state", "logs", "raw-stream.jsonl")));
});

/** The dev profile in a home of its own, where nothing says where its state is. */
async function startDev(home: string, port: number, ...args: string[]) {
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    NO_COLOR: "1",
    OPENCLAW_LOG_DIR: join(home, "log"),
    OPENCLAW_GATEWAY_PORT: String(port),
  };
  const child = spawn(process.execPath, [launcher, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  const ready = new Promise<void>((resolve) => {
    const take = (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.includes("next: in another terminal")) resolve();
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
  });
  await Promise.race([ready, exited]);
  return {
    printed: () => printed,
    async stop() {
      child.kill("SIGTERM");
      return exited;
    },
  };
}

test("--dev needs no setup, and --reset puts what there was aside", async () => {
  const home = join(folder, "dev-home");
  await mkdir(home);
  const port = await freePort();
  const first = await startDev(home, port, "gateway", "--dev");
  assert.match(first.printed(), /wrote a config for the dev profile/u);
  const state = join(home, ".openclaw-dev");
  const config = JSON.parse(await readFile(join(state, "openclaw.json"), "utf8")) as {
    gateway: object;
    agents: { list: { id: string }[] };
  };
  assert.deepEqual(config.gateway, { mode: "local", bind: "loopback" });
  assert.deepEqual(
    config.agents.list.map(({ id }) => id),
    ["dev"],
  );

  const meanwhile = await startDev(home, port, "--dev", "gateway", "--reset");
  assert.match(meanwhile.printed(), /another Gateway runs on this state folder/u);
  assert.equal(await meanwhile.stop(), 1);
  assert.equal(await first.stop(), 0);

  await writeFile(join(state, "mark"), "before");
  const second = await startDev(home, port, "--dev", "gateway");
  assert.doesNotMatch(second.printed(), /wrote a config/u);
  assert.equal(await second.stop(), 0);

  const third = await startDev(home, port, "--dev", "gateway", "--reset");
  assert.match(third.printed(), /moved \S+\.openclaw-dev to \S+\.openclaw-dev\.reset-\d{8}T\d{6}Z/u);
  assert.equal(await third.stop(), 0);
  assert.ok(!existsSync(join(state, "mark")));
  const aside = (await readdir(home)).find((name) => name.startsWith(".openclaw-dev.reset-")) ?? "";
  assert.equal(await readFile(join(home, aside, "mark"), "utf8"), "before");
});
