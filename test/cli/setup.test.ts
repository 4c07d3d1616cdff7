// `setup` as its own process, in a home of its own, and the Gateway that starts after it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { createCliHome, moltbot, type CliHome } from "../kit/cli-process.ts";
import { freePort, launcher } from "../kit/gateway-process.ts";

let home: CliHome;
beforeEach(async () => {
  home = await createCliHome();
});
afterEach(() => home.dispose());

const at = (...parts: string[]) => join(home.folder, ...parts);
const read = (...parts: string[]) => readFile(at(...parts), "utf8");
const modeOf = async (...parts: string[]) => (await stat(at(...parts))).mode & 0o777;

async function setUp(args: readonly string[], options: Parameters<CliHome["run"]>[1] = {}) {
  const { code, stdout, stderr } = await home.run([...args, "--json"], options);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Starts it, waits until it listens, asks how it is, stops it by its id. */
async function startAndAsk(args: readonly string[], { env = {}, program = launcher } = {}): Promise<unknown> {
  const whole = { ...home.env, ...env };
  const flags = args.slice(0, args.indexOf("gateway"));
  const child = spawn(process.execPath, [program, ...args], { env: whole, stdio: ["ignore", "pipe", "pipe"] });
  try {
    let output = "";
    await new Promise<void>((resolve, reject) => {
      const take = (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes("listening on ws://")) resolve();
      };
      child.stdout.on("data", take);
      child.stderr.on("data", take);
      child.once("exit", (code) => reject(new Error(`it ended with ${code}:\n${output}`)));
    });
    assert.doesNotMatch(output, /a token was made/u, "setup has made it");
    const port = /listening on ws:\/\/127\.0\.0\.1:(\d+)/u.exec(output)?.[1] ?? "";
    const { code, stdout, stderr } = await home.run([...flags, "health", "--json"], {
      program,
      env: { ...env, OPENCLAW_GATEWAY_PORT: port },
    });
    assert.equal(code, 0, stderr);
    const status = await home.run([...flags, "status"], { program, env: { ...env, OPENCLAW_GATEWAY_PORT: port } });
    assert.equal(status.code, 0, status.stderr);
    return (JSON.parse(stdout) as { ok: unknown }).ok;
  } finally {
    const gone = new Promise((resolve) => {
      child.once("exit", resolve);
    });
    child.kill("SIGTERM");
    await gone;
  }
}

test("setup writes gateway.mode, a token of 48 hex digits and a workspace, for their owner alone (R13, S41, RB-26, RB-40, OV-12)", async () => {
  const { code, stdout, stderr } = await home.run(["setup"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^Config .*openclaw\.json \(made\)\nToken .*gateway-token \(made\)\nWorkspace .*AGENTS\.md/u);
  assert.match(stdout, /\nnext: openclaw gateway\b/u);

  assert.deepEqual(JSON.parse(await read(".openclaw", "openclaw.json")), {
    gateway: { mode: "local" },
    agents: { defaults: { workspace: at(".openclaw", "workspace") } },
  });
  const token = await read(".openclaw", "credentials", "gateway-token");
  assert.match(token, /^[0-9a-f]{48}\n$/u);
  assert.ok(!stdout.includes(token.trim()), "it is not shown");
  assert.deepEqual((await readdir(at(".openclaw", "workspace"))).toSorted(), [
    "AGENTS.md",
    "HEARTBEAT.md",
    "IDENTITY.md",
    "SOUL.md",
    "TOOLS.md",
    "USER.md",
  ]);
  assert.equal(await modeOf(".openclaw"), 0o700);
  assert.equal(await modeOf(".openclaw", "workspace"), 0o700);
  assert.equal(await modeOf(".openclaw", "openclaw.json"), 0o600);
  assert.equal(await modeOf(".openclaw", "credentials", "gateway-token"), 0o600);
});

test("done again it changes nothing; a file that its owner wrote stays, one that is gone comes back", async () => {
  await setUp(["setup"]);
  const before = [await read(".openclaw", "openclaw.json"), await read(".openclaw", "credentials", "gateway-token")];
  await writeFile(at(".openclaw", "workspace", "USER.md"), "Ann\n");
  await writeFile(at(".openclaw", "openclaw.json"), `// mine\n${before[0]}`);

  const again = await setUp(["setup"]);
  assert.partialDeepStrictEqual(again, { config: { changed: false }, created: [], auth: { created: false } });
  assert.equal(await read(".openclaw", "openclaw.json"), `// mine\n${before[0]}`);
  assert.equal(await read(".openclaw", "credentials", "gateway-token"), before[1]);
  assert.equal(await read(".openclaw", "workspace", "USER.md"), "Ann\n");

  const moved = await setUp(["setup", "--workspace", "agent's place"]);
  assert.equal(moved["workspace"], at("agent's place"));
  const text = await read(".openclaw", "openclaw.json");
  assert.match(text, /^\/\/ mine\n/u, "comments stay");
  assert.ok(text.includes(JSON.stringify(at("agent's place"))));
});

test("what others could read is closed to them", async () => {
  await mkdir(at(".openclaw", "credentials"), { recursive: true });
  await writeFile(at(".openclaw", "openclaw.json"), "{ gateway: { mode: 'local' } }");
  await writeFile(at(".openclaw", "credentials", "gateway-token"), "old-token\n");
  await chmod(at(".openclaw"), 0o755);
  await chmod(at(".openclaw", "openclaw.json"), 0o644);
  await chmod(at(".openclaw", "credentials", "gateway-token"), 0o644);
  const done = await setUp(["setup"]);
  assert.partialDeepStrictEqual(done, { auth: { created: false } });
  assert.equal(await modeOf(".openclaw"), 0o700);
  assert.equal(await modeOf(".openclaw", "openclaw.json"), 0o600);
  assert.equal(await modeOf(".openclaw", "credentials", "gateway-token"), 0o600);
});

test("a token in the config or in the environment is not joined by a second one (R13)", async () => {
  await mkdir(at(".openclaw"));
  await writeFile(at(".openclaw", "openclaw.json"), "{ gateway: { auth: { token: 'mine' } } }");
  const configured = await setUp(["setup"]);
  assert.partialDeepStrictEqual(configured, { auth: { source: "gateway.auth.token", created: false } });
  await assert.rejects(stat(at(".openclaw", "credentials", "gateway-token")));

  const env = { OPENCLAW_GATEWAY_TOKEN: "from-the-shell" };
  const given = await setUp(["--profile", "p", "setup"], { env });
  assert.equal(await read(".openclaw-p", "credentials", "gateway-token"), "from-the-shell\n");
  assert.deepEqual(given["warnings"], []);
  const other = await setUp(["--profile", "p", "setup"], { env: { OPENCLAW_GATEWAY_TOKEN: "another" } });
  assert.match(JSON.stringify(other["warnings"]), /OPENCLAW_GATEWAY_TOKEN holds another token/u);
  assert.equal(await read(".openclaw-p", "credentials", "gateway-token"), "from-the-shell\n");
});

test("a config with errors is told with its place, and nothing is written", async () => {
  await mkdir(at(".openclaw"));
  await writeFile(at(".openclaw", "openclaw.json"), "{ gateway: { port: 'many' } }");
  const { code, stdout, stderr } = await home.run(["setup"]);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^error: Config invalid:\n .*openclaw\.json:1:14 .*gateway\.port/u);
  assert.equal(await read(".openclaw", "openclaw.json"), "{ gateway: { port: 'many' } }");
  await assert.rejects(stat(at(".openclaw", "workspace")));
  await assert.rejects(stat(at(".openclaw", "credentials")));
});

test("remote: this machine is a client; neither token nor workspace is made", async () => {
  const args = ["setup", "--mode", "remote", "--remote-url", "wss://gateway.example:443", "--remote-token", "-"];
  const done = await setUp(args, { stdin: "far-away\n" });
  assert.partialDeepStrictEqual(done, { mode: "remote", next: "openclaw status" });
  assert.deepEqual(JSON.parse(await read(".openclaw", "openclaw.json")), {
    gateway: { mode: "remote", remote: { url: "wss://gateway.example:443", token: "far-away" } },
  });
  assert.deepEqual((await readdir(at(".openclaw"))).toSorted(), ["openclaw.json", "openclaw.json.lock"]);
  // and stays one
  assert.equal((await setUp(["setup"]))["mode"], "remote");

  for (const [bad, told] of [
    [["--mode", "both"], /Invalid --mode: both/u],
    [["--mode", "remote"], /which Gateway\?/u],
    [["--remote-url", "https://x"], /not the address of a Gateway: https:\/\/x/u],
  ] as const) {
    const ran = await home.run(["setup", ...bad]);
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, told);
  }
});

test("--dev setup, then --dev gateway --allow-unconfigured starts at once, under both names (RB-40, RB-41, RB-48, RB-39..42, OV-18)", async () => {
  // 19001 may be taken on this machine: the environment moves it
  const env = { OPENCLAW_GATEWAY_PORT: String(await freePort()) };
  const own = await setUp(["--dev", "setup"]);
  assert.partialDeepStrictEqual(own, {
    config: { path: at(".openclaw-dev", "openclaw.json") },
    workspace: at(".openclaw", "workspace-dev"),
  });
  assert.equal(await startAndAsk(["--dev", "gateway", "--allow-unconfigured"], { env }), true);

  const other = await setUp(["--dev", "setup"], { program: moltbot, env: { HOME: at("m") } });
  assert.partialDeepStrictEqual(other, {
    config: { path: at("m", ".clawdbot-dev", "moltbot.json") },
    workspace: at("m", "clawd-dev"),
  });
  const elsewhere = { ...env, HOME: at("m") };
  assert.equal(
    await startAndAsk(["--dev", "gateway", "--allow-unconfigured"], { env: elsewhere, program: moltbot }),
    true,
  );
});

test("--profile main setup, then --profile main gateway --port N starts, beside a rescue (MG-04, MG-09, MG-10)", async () => {
  await setUp(["--profile", "main", "setup"]);
  const rescue = await setUp(["--profile", "rescue", "setup"]);
  assert.equal(rescue["workspace"], at(".openclaw", "workspace-rescue"));
  const ports = [String(await freePort()), String(await freePort())] as const;
  const both = await Promise.all([
    startAndAsk(["--profile", "main", "gateway", "--port", ports[0]]),
    startAndAsk(["--profile", "rescue", "gateway", "--port", ports[1]]),
  ]);
  assert.deepEqual(both, [true, true]);
});
