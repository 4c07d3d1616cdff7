// `onboard` by flags alone, as its own process in a home of its own: what scripts type.

import assert from "node:assert/strict";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, test } from "node:test";

import type { CliHome } from "../kit/cli-process.ts";
import { createFakeTools, workingSystemctl } from "../kit/fake-tools.ts";
import { freePort } from "../kit/gateway-process.ts";
import { prepareOnboarding } from "../kit/onboarding.ts";

const given = prepareOnboarding();
const { at, say, readConfig: config } = given;
let port: string;
beforeEach(async () => {
  port = String(await freePort());
});

const quiet = ["onboard", "--non-interactive", "--accept-risk"];
const custom = () => ["--custom-base-url", given.models.baseUrl, "--custom-model-id", "tiny"];

async function onboard(args: readonly string[], options: Parameters<CliHome["run"]>[1] = {}) {
  const { code, stdout, stderr } = await given.home.run([...quiet, "--gateway-port", port, ...args, "--json"], options);
  assert.equal(code, 0, stderr + stdout);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test("from nothing to a first answer by flags, with no file edited by hand (R29, MG-15)", async () => {
  const startedAt = Date.now();
  const done = await onboard([...custom(), "--custom-api-key", "-"], { stdin: "canary-key\n" });
  assert.ok(Date.now() - startedAt < 60_000);
  assert.partialDeepStrictEqual(done, {
    ok: true,
    mode: "local",
    workspace: at(".openclaw", "workspace"),
    authChoice: "custom-api-key",
    gateway: { port: Number(port), bind: "loopback", authMode: "token", tailscaleMode: "off" },
    installDaemon: false,
    skipSkills: false,
    skipHealth: false,
    auth: { source: at(".openclaw", "credentials", "gateway-token"), created: true },
    answer: { text: "I am the model.", model: "custom/tiny" },
    warnings: [],
  });
  assert.doesNotMatch(JSON.stringify(done), /canary/u);
  assert.deepEqual(await config(), {
    gateway: { mode: "local", port: Number(port) },
    agents: { defaults: { workspace: at(".openclaw", "workspace"), model: "custom/tiny" } },
    models: { providers: { custom: { baseUrl: given.models.baseUrl, apiKey: "canary-key" } } },
  });
  // it was started for the answer and ended after it
  assert.equal((await given.home.run(["health"])).code, 1);
});

test("without a key the built-in demo answers, and says what it is", async () => {
  const { code, stdout, stderr } = await given.home.run([...quiet, "--gateway-port", port]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /\noffline\/demo says:\n.*offline demo/u);
  assert.match(stdout, /\nnext: openclaw gateway\n$/u);
});

test("done again it changes nothing but what is asked for, and comments stay", async () => {
  await onboard([...custom(), "--skip-health"]);
  const file = at(".openclaw", "openclaw.json");
  await writeFile(file, `// mine\n${await readFile(file, "utf8")}`);
  assert.partialDeepStrictEqual(await onboard(["--skip-health"]), {
    authChoice: "skip",
    config: { changed: false },
    created: [],
  });
  await onboard(["--skip-health", "--gateway-bind", "lan"]);
  assert.match(await readFile(file, "utf8"), /^\/\/ mine\n/u);

  await onboard(["--skip-health", "--reset"]);
  assert.deepEqual(await config(), {
    gateway: { mode: "local", port: Number(port) },
    agents: { defaults: { workspace: at(".openclaw", "workspace") } },
  });
  assert.match(await readFile(`${file}.bak`, "utf8"), /^\/\/ mine\n/u);
});

test("a key that does not work is told, and nothing is written; --no-check keeps it", async () => {
  say(401);
  const args = [...quiet, ...custom(), "--custom-api-key", "canary-key"];
  const refused = await given.home.run(args);
  assert.deepEqual([refused.code, refused.stdout], [1, ""]);
  assert.match(
    refused.stderr,
    /^error: custom\/tiny: the provider refuses the API key \(HTTP 401\)\nnext: .*--no-check/u,
  );
  assert.doesNotMatch(refused.stderr, /canary/u);
  await assert.rejects(stat(at(".openclaw")), "not even the folder");
  assert.equal((await given.home.run([...args, "--no-check", "--skip-health"])).code, 0);
  assert.partialDeepStrictEqual(await config(), { models: { providers: { custom: { apiKey: "canary-key" } } } });
});

test("a key of the environment stays there; a vendor without any is refused", async () => {
  await mkdir(at(".openclaw"));
  const own = { models: { providers: { openai: { baseUrl: given.models.baseUrl, api: "openai-completions" } } } };
  await writeFile(at(".openclaw", "openclaw.json"), JSON.stringify(own));
  const none = await given.home.run([...quiet, "--auth-choice", "openai-api-key"]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /^error: no key for OpenAI.*\nnext: pass --openai-api-key - .* or set OPENAI_API_KEY/u);

  const env = { OPENAI_API_KEY: "canary-env" };
  const done = await onboard(["--auth-choice", "openai-api-key", "--model", "openai/gpt-x"], { env });
  assert.partialDeepStrictEqual(done, { answer: { model: "openai/gpt-x", text: "I am the model." } });
  assert.doesNotMatch(await readFile(at(".openclaw", "openclaw.json"), "utf8"), /canary/u);
});

test("a Telegram token is tried with getMe before it is kept, and is never shown", async () => {
  const args = ["--telegram-api-root", given.telegram.apiRoot, "--telegram-token", "-", "--skip-health"];
  given.telegram.react = () => ({ error: { error_code: 401, description: "Unauthorized" } });
  const refused = await given.home.run([...quiet, ...args], { stdin: given.telegram.token });
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /^error: Telegram refuses the token \(Unauthorized\)\nnext: get it anew from @BotFather/u,
  );
  await assert.rejects(stat(at(".openclaw")));

  given.telegram.react = () => undefined;
  const done = await onboard(args, { stdin: `${given.telegram.token}\n` });
  assert.doesNotMatch(JSON.stringify(done), /AAAA/u);
  assert.partialDeepStrictEqual(await config(), {
    channels: { telegram: { enabled: true, botToken: given.telegram.token, apiRoot: given.telegram.apiRoot } },
  });
  const skipped = await given.home.run([...quiet, ...args, "--skip-channels"], { stdin: given.telegram.token });
  assert.equal(skipped.code, 0);
});

test("token and password go to their one place; a password is not joined by a token (R13)", async () => {
  await onboard(["--gateway-token", "-", "--skip-health"], { stdin: "my-own-token\n" });
  assert.equal(await readFile(at(".openclaw", "credentials", "gateway-token"), "utf8"), "my-own-token\n");
  const done = await onboard(["--gateway-password", "-"], { stdin: "open sesame\n" });
  assert.partialDeepStrictEqual(done, { gateway: { authMode: "password" }, auth: { source: "gateway.auth.password" } });
  assert.partialDeepStrictEqual(await config(), {
    gateway: { auth: { mode: "password", password: "open sesame" } },
  });
  assert.doesNotMatch(JSON.stringify(done), /sesame|my-own/u);
  const back = await onboard(["--gateway-auth", "token"]);
  assert.partialDeepStrictEqual(back, { ok: true, gateway: { authMode: "token" }, auth: { created: false } });
});

test("a named profile gets a folder and a port of its own, away from all others (MG-16..19)", async () => {
  await given.home.run([...quiet, "--skip-health"]);
  const rescue = async (name: string) => {
    const { stdout } = await given.home.run(["--profile", name, ...quiet, "--skip-health", "--json"]);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  assert.partialDeepStrictEqual(await rescue("rescue"), {
    workspace: at(".openclaw", "workspace-rescue"),
    gateway: { port: 19_789 },
  });
  assert.partialDeepStrictEqual(await rescue("spare"), { gateway: { port: 20_789 } });
  assert.partialDeepStrictEqual(await rescue("rescue"), { gateway: { port: 19_789 }, config: { changed: false } });
});

test(
  "--install-daemon makes it a service, and the first answer comes from there (RB-126, MG-20)",
  { skip: process.platform === "linux" ? false : "systemd is Linux's" },
  async () => {
    const tools = await createFakeTools(given.home.folder);
    const units = at(".config", "systemd", "user");
    await tools.write("systemctl", startingSystemctl(units));
    await tools.write(
      "loginctl",
      `[ "$1" = show-user ] && { echo Linger=no; exit 0; }; echo "Access denied" >&2; exit 1`,
    );
    await tools.write("journalctl", "exit 1");
    const env = { PATH: tools.path, OPENCLAW_GATEWAY_PORT: port };
    try {
      const done = await onboard(["--install-daemon", ...custom(), "--custom-api-key", "canary-key"], { env });
      assert.partialDeepStrictEqual(done, {
        ok: true,
        installDaemon: true,
        daemonRuntime: "node",
        service: { ok: true },
        answer: { text: "I am the model." },
      });
      assert.match(JSON.stringify(done["warnings"]), /sudo loginctl enable-linger/u);
      assert.ok((await tools.calls()).some((call) => call.startsWith("loginctl enable-linger")));
      const unit = await readFile(join(units, "openclaw-gateway.service"), "utf8");
      assert.match(unit, new RegExp(`gateway --port ${port}\n`, "u"));
      assert.doesNotMatch(unit, /canary/u);
      assert.equal((await given.home.run(["health"], { env })).code, 0, "it goes on");
    } finally {
      process.kill(Number(await readFile(join(tools.state, "pid"), "utf8")), "SIGTERM");
    }
    await tools.write("systemctl", `echo "Failed to connect to bus: No medium found" >&2; exit 1`);
    const failed = await given.home.run([...quiet, "--install-daemon", "--gateway-port", String(await freePort())], {
      env: { PATH: tools.path },
    });
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /^warning: no service was installed: systemd .*No medium found/mu);
    assert.match(failed.stdout, /says:\n/u, "what was asked for besides is done");
  },
);

/** One that really starts what the unit says, and notes its process id. */
const startingSystemctl = (units: string) =>
  workingSystemctl(units).replace(
    `start|restart) touch "$STATE/active" ;;`,
    `start|restart) touch "$STATE/active"
    sed -n 's/^ExecStart=//p' '${units}'/*.service > "$STATE/command"
    sed -n 's/^Environment=\\(.*\\)/export \\1/p' '${units}'/*.service > "$STATE/variables"
    . "$STATE/variables"
    setsid sh -c "exec $(cat "$STATE/command")" > /dev/null 2>&1 < /dev/null &
    echo $! > "$STATE/pid" ;;`,
  );

test("remote: a Gateway elsewhere is asked, and what keeps it from answering is told", async () => {
  const args = [...quiet, "--mode", "remote", "--remote-url", "ws://127.0.0.1:9", "--remote-token", "x"];
  const { code, stdout, stderr } = await given.home.run([...args, "--skip-health", "--json"]);
  assert.equal(code, 0, stderr);
  assert.partialDeepStrictEqual(JSON.parse(stdout), { mode: "remote", installDaemon: false });
  assert.deepEqual(await config(), { gateway: { mode: "remote", remote: { url: "ws://127.0.0.1:9", token: "x" } } });
});

test("mistakes of scripts: one line, the next step, exit code 2, nothing written", async () => {
  for (const [args, told] of [
    [["onboard"], /^error: nobody can be asked here: this is no terminal\nnext: pass --non-interactive --accept-risk/u],
    [["onboard", "--json"], /^error: --json asks nothing\n/u],
    [["onboard", "--non-interactive"], /^error: .*\nnext: pass --accept-risk/u],
    [
      [...quiet, "--auth-choice", "magic"],
      /^error: Invalid --auth-choice: magic\nnext: use one of: anthropic-api-key, .*skip/u,
    ],
    [[...quiet, "--gateway-port", "0"], /^error: Invalid port: 0\n/u],
    [[...quiet, "--gateway-bind", "all"], /^error: Invalid --gateway-bind: all\n/u],
    [[...quiet, "--gateway-auth", "none"], /^error: Invalid --gateway-auth: none\n/u],
    [[...quiet, "--flow", "slow"], /^error: Invalid --flow: slow\n/u],
    [
      [...quiet, "--custom-base-url", "127.0.0.1:1234"],
      /^error: --custom-base-url: not an address: 127\.0\.0\.1:1234\n/u,
    ],
    [[...quiet, "--auth-choice", "custom"], /^error: which model\?\nnext: pass --custom-model-id/u],
    [[...quiet, "--openai-api-key", "-"], /^error: nothing came on stdin for --openai-api-key\n/u],
    [[...quiet, "--gateway-token", "two words"], /^error: a token is one word\n/u],
  ] as const) {
    const { code, stdout, stderr } = await given.home.run(args);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, told);
    await assert.rejects(stat(at(".openclaw", "openclaw.json")), args.join(" "));
  }
});
