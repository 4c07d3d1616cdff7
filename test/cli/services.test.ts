// The commands about services as their own processes, against stand-ins for systemd's programs, in a home of their own.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";

import { parseUnit } from "../../src/daemon/systemd-unit.ts";
import { createFakeTools, workingSystemctl, type FakeTools } from "../kit/fake-tools.ts";
import { createGatewayProcess, freePort, launcher } from "../kit/gateway-process.ts";

const skip = process.platform === "linux" ? false : "systemd is Linux's";
const homes: string[] = [];
let home: string;
let units: string;
let tools: FakeTools;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "services-"));
  homes.push(home);
  units = join(home, ".config", "systemd", "user");
  tools = await createFakeTools(home);
  await tools.write("systemctl", workingSystemctl(units));
  await tools.write("loginctl", `[ "$1" = show-user ] && echo Linger=yes; exit 0`);
  await tools.write("journalctl", "exit 1");
});
after(() => Promise.all(homes.map((it) => rm(it, { recursive: true, force: true }))));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function cli(args: readonly string[], env: NodeJS.ProcessEnv = {}, program = launcher): Promise<Ran> {
  const whole = { HOME: home, PATH: tools.path, NO_COLOR: "1", OPENCLAW_LOG_DIR: join(home, "log"), ...env };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: home, env: whole }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error ? 1 : 0, stdout, stderr });
    });
  });
}

async function json(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await cli([...args, "--json"], env);
  assert.equal(code, 0, stderr + stdout);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test(
  "install writes this checkout's program into the unit, once; --force writes it anew (RB-100, RB-113, RB-120, RB-121, VG-11)",
  { skip },
  async () => {
    const first = await json(["gateway", "install"]);
    assert.partialDeepStrictEqual(first, {
      action: "install",
      ok: true,
      result: "installed",
      service: { loaded: true },
    });
    const file = join(units, "openclaw-gateway.service");
    const unit = await readFile(file, "utf8");
    assert.ok(unit.includes(`ExecStart=${process.execPath} ${launcher} gateway --port 18789\n`), unit);
    assert.match(unit, /\nEnvironment="OPENCLAW_SERVICE_MARKER=openclaw"\n/u);
    assert.match(unit, /\nEnvironment="OPENCLAW_SERVICE_KIND=gateway"\n/u);
    assert.match(unit, /\nEnvironment="OPENCLAW_SERVICE_VERSION=.+"\n/u);
    assert.match(JSON.stringify(first["warnings"]), /gateway\.mode/u, "it says that it cannot start yet");

    await tools.calls();
    assert.deepEqual(
      [(await json(["gateway", "install"]))["result"], (await json(["gateway", "install"]))["warnings"]],
      ["already-installed", []],
    );
    assert.ok(
      (await tools.calls()).every((line) => /show/u.test(line)),
      "nothing was changed",
    );

    const other = await cli(["gateway", "install", "--port", "19999"]);
    assert.equal(other.code, 0);
    assert.match(other.stderr, /^warning: it runs .*18789, now it would run .*19999$/mu);
    assert.match(other.stdout, /next: openclaw gateway install --force/u);
    assert.equal(await readFile(file, "utf8"), unit);

    assert.equal((await json(["gateway", "install", "--force", "--port", "19999"]))["result"], "installed");
    assert.match(await readFile(file, "utf8"), /--port 19999\n/u);
  },
);

test(
  "a profile, and the other name, have services of their own (RB-35, RB-54, MG-08, MG-11, MG-20, OV-23)",
  { skip },
  async () => {
    assert.equal((await cli(["--profile", "rescue", "gateway", "install", "--port", "19789"])).code, 0);
    const moltbot = join(launcher, "..", "moltbot.mjs");
    assert.equal((await cli(["gateway", "install"], {}, moltbot)).code, 0);
    assert.equal((await cli(["node", "install", "--host", "10.0.0.1", "--display-name", "a shelf"])).code, 0);
    assert.deepEqual(await readdir(units), [
      "moltbot-gateway.service",
      "openclaw-gateway-rescue.service",
      "openclaw-node.service",
    ]);
    const rescue = await readFile(join(units, "openclaw-gateway-rescue.service"), "utf8");
    assert.match(rescue, /OPENCLAW_PROFILE=rescue"/u);
    assert.match(rescue, new RegExp(`OPENCLAW_STATE_DIR=${home}/.openclaw-rescue"`, "u"));
    const node = await readFile(join(units, "openclaw-node.service"), "utf8");
    assert.match(node, /openclaw\.mjs node run --host 10\.0\.0\.1 --display-name "a shelf"\n/u);
    assert.match(node, /OPENCLAW_SERVICE_KIND=node"/u);
  },
);

test(
  "a token goes into the token file and never into the unit; keys of the shell are told (R13, RB-123)",
  { skip },
  async () => {
    const env = { OPENCLAW_GATEWAY_TOKEN: "canary-env", ANTHROPIC_API_KEY: "canary-key" };
    const done = await json(["gateway", "install"], env);
    assert.match(JSON.stringify(done["warnings"]), /does not get ANTHROPIC_API_KEY/u);
    const file = join(units, "openclaw-gateway.service");
    const kept = join(home, ".openclaw", "credentials", "gateway-token");
    assert.equal(await readFile(kept, "utf8"), "canary-env\n");
    assert.equal((await stat(kept)).mode & 0o777, 0o600);

    const again = await json(["gateway", "install", "--force"], { OPENCLAW_GATEWAY_TOKEN: "canary-other" });
    assert.match(JSON.stringify(again["warnings"]), /OPENCLAW_GATEWAY_TOKEN has another: unset it/u);
    assert.equal(await readFile(kept, "utf8"), "canary-env\n");
    await json(["gateway", "install", "--force", "--token", "canary-flag"]);
    assert.equal(await readFile(kept, "utf8"), "canary-flag\n");
    assert.doesNotMatch(await readFile(file, "utf8"), /canary/u);
  },
);

test(
  "start, stop, restart and uninstall act on the service; without one they say so and exit with 0 (RB-100, RB-112, RB-117, RB-141, OV-21, VG-12)",
  { skip },
  async () => {
    for (const verb of ["start", "stop", "restart", "uninstall"]) {
      const done = await json(["gateway", verb]);
      assert.partialDeepStrictEqual(done, { action: verb, ok: true, result: "not-loaded" });
      assert.match(JSON.stringify(done["hints"]), /openclaw gateway install/u);
    }
    await json(["gateway", "install"]);
    await tools.calls();
    for (const [verb, result] of [
      ["stop", "stopped"],
      ["start", "started"],
      ["restart", "restarted"],
    ] as const) {
      assert.equal((await json(["gateway", verb]))["result"], result);
      assert.ok((await tools.calls()).includes(`systemctl --user ${verb} openclaw-gateway.service`));
    }
    assert.equal((await json(["gateway", "uninstall"]))["result"], "uninstalled");
    assert.deepEqual(await readdir(units), []);
  },
);

test(
  "what is missing is told: one line, a next step, exit code 1; with --json the same as an object",
  { skip },
  async () => {
    await tools.write("systemctl", `echo "Failed to connect to bus: No medium found" >&2; exit 1`);
    const text = await cli(["gateway", "install"]);
    assert.equal(text.code, 1);
    assert.equal(text.stdout, "");
    assert.match(
      text.stderr,
      // what it says depends on whether this machine has systemd
      /^error: systemd .* \(Failed to connect to bus: No medium found\)\nnext: .+\n$/u,
    );
    const object = await cli(["gateway", "install", "--json"]);
    assert.equal(object.code, 1);
    assert.partialDeepStrictEqual(JSON.parse(object.stdout), { action: "install", ok: false });
    assert.deepEqual(await readdir(units).catch(() => []), []);
  },
);

test(
  "a lingering that could not be turned on is a warning, not a failure (RB-125, RB-126, OV-20)",
  { skip },
  async () => {
    await tools.write(
      "loginctl",
      `[ "$1" = show-user ] && { echo Linger=no; exit 0; }; echo "Could not enable linger: Access denied" >&2; exit 1`,
    );
    const { code, stderr } = await cli(["gateway", "install"]);
    assert.equal(code, 0);
    assert.match(
      stderr,
      /warning: the service ends when .* logs out, until somebody types: sudo loginctl enable-linger /u,
    );
  },
);

test(
  "status tells the supervisor apart from the port, and probes where the service is (RB-100, RB-102, RB-104, RB-106, RB-107, OV-20, VG-10)",
  { skip },
  async () => {
    const none = await json(["gateway", "status", "--no-probe"]);
    assert.partialDeepStrictEqual(none, {
      service: { label: "systemd", loaded: false, command: null, runtime: { status: "stopped", missingUnit: true } },
      extraServices: [],
    });
    assert.ok(!("rpc" in none));

    const gateway = await createGatewayProcess();
    try {
      await gateway.start();
      const at = { OPENCLAW_STATE_DIR: gateway.env["OPENCLAW_STATE_DIR"], OPENCLAW_GATEWAY_TOKEN: gateway.token };
      await json(["gateway", "install", "--port", String(gateway.port)], at);
      // this shell points somewhere else: the service decides
      const both = await json(["gateway", "status"], {
        OPENCLAW_GATEWAY_TOKEN: gateway.token,
        OPENCLAW_GATEWAY_PORT: "1",
      });
      assert.partialDeepStrictEqual(both, {
        service: { loaded: true, runtime: { status: "running", pid: 4711 }, configAudit: { ok: true, issues: [] } },
        gateway: { port: gateway.port, portSource: "service args", probeUrl: `ws://127.0.0.1:${gateway.port}` },
        config: { mismatch: true, cli: { path: join(home, ".openclaw", "openclaw.json") } },
        rpc: { ok: true },
        port: { port: gateway.port, status: "busy", listeners: [{ pid: gateway.pid(), kind: "gateway" }] },
        portCli: { port: 1, status: "free" },
      });
      const told = JSON.stringify(both);
      assert.doesNotMatch(told, new RegExp(gateway.token, "u"));
      assert.match(told, /"programArguments":\[/u);

      await json(["gateway", "stop"]);
      const stopped = await json(["gateway", "status"], { OPENCLAW_GATEWAY_TOKEN: gateway.token });
      assert.partialDeepStrictEqual(stopped, { service: { runtime: { status: "stopped" } }, rpc: { ok: true } });
    } finally {
      await gateway.dispose();
    }
  },
);

test(
  "what the unit says is enough: its program with its environment alone serves, and ends with 0 (RB-123, RB-127, OV-24)",
  { skip },
  async () => {
    const port = await freePort();
    await json(["gateway", "install", "--allow-unconfigured", "--port", String(port), "--token", "canary-flag"]);
    const { program, workingDirectory, environment } = parseUnit(
      await readFile(join(units, "openclaw-gateway.service"), "utf8"),
    );
    const [node = "", ...args] = program;
    const child = spawn(node, args, {
      cwd: workingDirectory,
      env: { ...environment },
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      let printed = "";
      for await (const chunk of child.stdout) {
        printed += String(chunk);
        if (printed.includes(`listening on ws://127.0.0.1:${port}`)) break;
      }
      assert.partialDeepStrictEqual(await json(["gateway", "status"]), {
        service: { configAudit: { ok: true } },
        gateway: { authSource: join(home, ".openclaw", "credentials", "gateway-token") },
        rpc: { ok: true },
      });
    } finally {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      assert.deepEqual(await ended, [0, null]);
    }
  },
);

test("status says what is wrong with a unit, without a value of its environment", { skip }, async () => {
  await json(["gateway", "install"]);
  const file = join(units, "openclaw-gateway.service");
  const unit = await readFile(file, "utf8");
  const issues = async () =>
    ((await json(["gateway", "status", "--no-probe"])) as { service: { configAudit: { issues: { code: string }[] } } })
      .service.configAudit.issues;
  const codes = async (text: string) => {
    await writeFile(file, text);
    const found = await issues();
    assert.doesNotMatch(JSON.stringify(found), /canary/u);
    return found.map(({ code }) => code);
  };
  assert.deepEqual(await codes(unit), []);
  assert.deepEqual(await codes(unit.replace(launcher, "/gone/openclaw.mjs")), ["gateway-program-missing"]);
  assert.deepEqual(await codes(unit.replace(launcher, join(launcher, "..", "moltbot.mjs"))), [
    "gateway-entrypoint-mismatch",
  ]);
  assert.deepEqual(
    await codes(unit.replace("Environment=", "Environment=OPENCLAW_GATEWAY_TOKEN=canary\nEnvironment=")),
    ["service-secret"],
  );
  assert.deepEqual(await codes("[Service]\nExecStart=/usr/local/bin/openclaw\n"), [
    "gateway-command-missing",
    "service-marker-missing",
    "gateway-path-missing",
    "systemd-after-network-online",
    "systemd-wants-network-online",
    "systemd-restart-sec",
  ]);
});

test(
  "MG-11, MG-25: a service that would take the port of a running Gateway is told, and one that leaves its own",
  { skip },
  async () => {
    const main = await createGatewayProcess({ env: { HOME: home } });
    try {
      await main.start();
      const others = await json(["--profile", "rescue", "gateway", "install", "--port", String(main.port)]);
      assert.match(
        JSON.stringify(others["warnings"]),
        /port \d+ is that of the Gateway in \S+ \(pid \d+, port \d+\): give this service another, openclaw --profile rescue gateway install --force --port <port>/u,
      );
      const own = await json(["gateway", "install", "--port", "1"], {
        OPENCLAW_STATE_DIR: main.env["OPENCLAW_STATE_DIR"],
      });
      assert.match(
        JSON.stringify(own["warnings"]),
        new RegExp(`listens on port ${main.port}, the service takes 1: `, "u"),
      );
    } finally {
      await main.dispose();
    }
  },
);

test("a service that runs with a closed port shows its last error (RB-108)", { skip }, async () => {
  await json(["gateway", "install", "--port", "1"]);
  await tools.write(
    "journalctl",
    `printf '%s\\n' 'Started a thing.' 'error: Missing config: /x/openclaw.json' 'next: set gateway.mode' 'Main process exited'`,
  );
  const { code, stdout } = await cli(["gateway", "status", "--token", "x"]);
  assert.equal(code, 0);
  assert.match(stdout, /^Service: systemd \(enabled\), openclaw-gateway\.service$/mu);
  assert.match(stdout, /^Runtime: running \(pid 4711, state active, sub running\)$/mu);
  assert.match(stdout, /^RPC probe: failed: /mu);
  assert.match(stdout, /^The service appears to run, and its port does not answer\.\nListening: nothing on port 1$/mu);
  assert.match(stdout, /^Last gateway error: error: Missing config: \/x\/openclaw\.json$/mu);
  const looked = await json(["gateway", "status", "--no-probe"]);
  assert.partialDeepStrictEqual(looked, {
    lastError: "error: Missing config: /x/openclaw.json",
    port: { status: "free" },
  });
});

test("without systemd's programs the status goes on with the probe", { skip }, async () => {
  await tools.write(
    "systemctl",
    `echo "System has not been booted with systemd as init system (PID 1). Can't operate." >&2; exit 1`,
  );
  const { code, stdout } = await cli(["gateway", "status", "--token", "x"]);
  assert.equal(code, 0);
  assert.match(stdout, /^Runtime: unknown \(systemd does not run on this machine /mu);
  assert.match(stdout, /^RPC probe: failed: /mu);
});

test(
  "other services that look like a Gateway are shown with how to remove them; those of our profiles are not (RB-103, RB-110, RB-111)",
  { skip },
  async () => {
    await json(["--profile", "rescue", "gateway", "install"]);
    await json(["node", "install"]);
    await mkdir(units, { recursive: true });
    await writeFile(
      join(units, "my-bot.service"),
      "[Service]\nExecStart=/usr/bin/node /opt/clawdbot/index.js gateway\n",
    );
    await writeFile(
      join(units, "unrelated.service"),
      "[Unit]\nDescription=reads openclaw news\n[Service]\nExecStart=/bin/true\n",
    );
    await writeFile(join(units, "moltbot-gateway.service"), "[Service]\nExecStart=/usr/local/bin/moltbot gateway\n");
    const status = await json(["gateway", "status", "--no-probe"]);
    assert.deepEqual(status["extraServices"], [
      {
        platform: "linux",
        label: "moltbot-gateway",
        detail: join(units, "moltbot-gateway.service"),
        scope: "user",
        marker: "moltbot",
        legacy: true,
        cleanup: [
          "systemctl --user disable --now moltbot-gateway.service",
          `rm ${join(units, "moltbot-gateway.service")}`,
        ],
      },
      {
        platform: "linux",
        label: "my-bot",
        detail: join(units, "my-bot.service"),
        scope: "user",
        marker: "clawdbot",
        legacy: true,
        cleanup: ["systemctl --user disable --now my-bot.service", `rm ${join(units, "my-bot.service")}`],
      },
    ]);
    const deep = await cli(["gateway", "status", "--no-probe", "--deep"]);
    assert.match(deep.stdout, /Other services that look like a Gateway:\n {2}moltbot-gateway \(user, /u);
    assert.match(deep.stdout, /One Gateway on a machine is enough for most/u);
  },
);

test(
  "where the service ought to answer and nobody does, the next step is about the service, not about a second Gateway",
  { skip },
  async () => {
    const port = String(await freePort());
    await json(["gateway", "install", "--port", port]);
    const running = (await json(["gateway", "status"]))["rpc"] as { next?: string };
    assert.match(running.next ?? "", /^its output says why: journalctl --user -u openclaw-gateway\.service/u);
    await json(["gateway", "stop"]);
    const stopped = (await json(["gateway", "status"]))["rpc"] as { next?: string };
    assert.equal(stopped.next, "openclaw gateway start");
  },
);
