// What the runbook says of services, where no other test has it: units that people wrote by its example, and what to type to the
// system itself.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { promisify } from "node:util";

import { createFakeTools, workingSystemctl, type FakeTools } from "../kit/fake-tools.ts";
import { createGatewayProcess, freePort, launcher } from "../kit/gateway-process.ts";
import { openRawClient } from "../kit/raw-client.ts";

const run = promisify(execFile);
const skip = process.platform === "linux" ? false : "systemd is Linux's";
const hasAnalyze = await run("systemd-analyze", ["--version"]).then(
  () => true,
  () => false,
);
const homes: string[] = [];
let home: string;
let units: string;
let tools: FakeTools;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "runbook-services-"));
  homes.push(home);
  units = join(home, ".config", "systemd", "user");
  await mkdir(units, { recursive: true });
  tools = await createFakeTools(home);
  await tools.write("systemctl", workingSystemctl(units));
  await tools.write("loginctl", `[ "$1" = show-user ] && echo Linger=yes; exit 0`);
  await tools.write("journalctl", "exit 1");
});
after(() => Promise.all(homes.map((it) => rm(it, { recursive: true, force: true }))));

async function cliOf(name: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { HOME: home, PATH: tools.path, NO_COLOR: "1", OPENCLAW_LOG_DIR: join(home, "log") };
  return run(process.execPath, [join(launcher, "..", `${name}.mjs`), ...args], { cwd: home, env });
}
const cli = (...args: string[]) => cliOf("openclaw", ...args);

const status = async (name = "openclaw", ...args: string[]) =>
  JSON.parse((await cliOf(name, ...args, "gateway", "status", "--json", "--no-probe")).stdout) as Record<
    string,
    unknown
  >;

const names = [
  { name: "openclaw", product: "OpenClaw", prefix: "OPENCLAW" },
  { name: "moltbot", product: "Moltbot", prefix: "CLAWDBOT" },
] as const;
type Name = (typeof names)[number];

/** As the manual of the older program shows it. */
const sample = ({ name, product, prefix }: Name, port: number) => `[Unit]
Description=${product} Gateway (profile: rescue, v2026.2.9)
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=/usr/local/bin/${name} gateway --port ${port}
Restart=always
RestartSec=5
Environment=${prefix}_GATEWAY_TOKEN=
WorkingDirectory=/home/youruser

[Install]
WantedBy=default.target
`;

test(
  "a unit that somebody wrote by the manual's example is found, read and replaced (RB-121..124, OV-23)",
  { skip },
  async () => {
    for (const named of names) {
      const { name, product, prefix } = named;
      const port = await freePort();
      const file = join(units, `${name}-gateway-rescue.service`);
      await writeFile(file, sample(named, port));
      const found = await status(name, "--profile", "rescue");
      assert.partialDeepStrictEqual(found, {
        service: {
          name: `${name}-gateway-rescue.service`,
          command: {
            programArguments: [`/usr/local/bin/${name}`, "gateway", "--port", String(port)],
            workingDirectory: "/home/youruser",
            sourcePath: file,
          },
          configAudit: { ok: false },
        },
        gateway: { port, portSource: "service args" },
      });
      const told = JSON.stringify((found["service"] as { configAudit: object }).configAudit);
      assert.match(told, /service-marker-missing/u);
      assert.ok(told.includes(`${prefix}_GATEWAY_TOKEN is written into it`), told);

      await cliOf(name, "--profile", "rescue", "gateway", "install", "--force", "--port", String(port));
      const written = await readFile(file, "utf8");
      assert.ok(written.includes(`\nDescription=${product} Gateway (profile: rescue, v`), written);
      for (const line of [
        "After=network-online.target",
        "Wants=network-online.target",
        "Restart=always",
        "RestartSec=5",
        "SuccessExitStatus=143",
        "WantedBy=default.target",
      ])
        assert.ok(written.includes(`\n${line}\n`), line);
      assert.match(written, new RegExp(`^ExecStart=.* gateway --port ${port}$`, "mu"));
      assert.doesNotMatch(written, /_TOKEN/u);
      assert.partialDeepStrictEqual(await status(name, "--profile", "rescue"), {
        service: { configAudit: { ok: true } },
      });
    }
  },
);

test(
  "our unit, made one of the whole machine as the runbook says, is one that systemd takes (RB-128, RB-129, OV-25)",
  { skip: skip || (hasAnalyze ? false : "systemd-analyze is not on this machine") },
  async () => {
    await cli("gateway", "install");
    const own = await readFile(join(units, "openclaw-gateway.service"), "utf8");
    const file = join(home, "openclaw-gateway.service");
    const verify = () =>
      run("systemd-analyze", ["--man=no", "verify", file]).then(
        ({ stdout, stderr }) => `${stdout}${stderr}`,
        (error: unknown) => String((error as { stderr: string }).stderr),
      );
    const ours = (text: string) => text.split("\n").filter((line) => line.includes("openclaw-gateway.service"));
    const machine = own
      .replace("WantedBy=default.target", "WantedBy=multi-user.target")
      .replace("[Service]\n", "[Service]\nUser=root\n");
    await writeFile(file, machine);
    assert.deepEqual(ours(await verify()), []);
    await writeFile(file, machine.replace("User=root", "Usr=root"));
    assert.match(ours(await verify()).join("\n"), /Usr/u, "it would have been found");
  },
);

test(
  "status says what to type to the system itself, for this profile's service (RB-118, RB-127, RB-141)",
  { skip },
  async () => {
    assert.doesNotMatch((await cli("gateway", "status", "--no-probe")).stdout, /By hand/u);
    for (const [profile, unit] of [
      [[], "openclaw-gateway.service"],
      [["--profile", "rescue"], "openclaw-gateway-rescue.service"],
    ] as const) {
      await cli(...profile, "gateway", "install", "--port", String(await freePort()));
      const { stdout } = await cli(...profile, "gateway", "status", "--no-probe");
      assert.ok(
        stdout.includes(`By hand: systemctl --user restart ${unit} (restart), systemctl --user stop ${unit} (stop)\n`),
        stdout,
      );
    }
  },
);

test("an end by SIGTERM is no crash, also where an older build shows it as 143 (RB-22)", { skip }, async () => {
  await cli("gateway", "install");
  await tools.write(
    "systemctl",
    `case "$*" in
  *show*) printf 'LoadState=loaded\\nUnitFileState=enabled\\nActiveState=inactive\\nSubState=dead\\nMainPID=0\\nExecMainStatus=143\\nExecMainCode=1\\n' ;;
esac`,
  );
  const { stdout } = await cli("gateway", "status", "--token", "x", "--timeout", "2000");
  assert.match(stdout, /^Runtime: stopped \(state inactive, sub dead, last exit: asked to stop \(143\)\)$/mu);
  assert.doesNotMatch(stdout, /Last gateway error/u);
});

test("a Gateway that runs never asks about its own service, also when it runs as one (R12)", { skip }, async () => {
  for (const name of ["systemctl", "journalctl", "loginctl", "launchctl", "schtasks"])
    await tools.write(name, "exit 1");
  await tools.calls();
  const gateway = await createGatewayProcess({
    config: { gateway: { mode: "local" }, commands: { restart: true } },
    env: {
      PATH: tools.path,
      OPENCLAW_SERVICE_MARKER: "openclaw",
      OPENCLAW_SERVICE_KIND: "gateway",
      OPENCLAW_SYSTEMD_UNIT: "openclaw-gateway.service",
    },
  });
  try {
    await gateway.start();
    const client = await openRawClient(gateway.port, gateway.token);
    await client.connect();
    for (const method of ["health", "status"]) assert.equal((await client.request(method)).ok, true);
    process.kill(gateway.pid(), "SIGUSR1");
    await client.closed;
    await gateway.stop();
    assert.deepEqual(await tools.calls(), []);
  } finally {
    await gateway.dispose();
  }
});

test("--url goes before the service's own port (RB-102)", { skip }, async () => {
  await cli("gateway", "install", "--port", String(await freePort()));
  const gateway = await createGatewayProcess();
  try {
    await gateway.start();
    const url = `ws://127.0.0.1:${gateway.port}`;
    const ask = async (...where: string[]) => {
      const { stdout } = await cli("gateway", "status", "--json", "--token", gateway.token, ...where);
      return JSON.parse(stdout) as object;
    };
    assert.partialDeepStrictEqual(await ask(), { gateway: { portSource: "service args" }, rpc: { ok: false } });
    assert.partialDeepStrictEqual(await ask("--url", url), { gateway: { probeUrl: url }, rpc: { ok: true, url } });
  } finally {
    await gateway.dispose();
  }
});

test("the keys of status --json are those that scripts may count on (RB-105, RB-107, VG-10)", { skip }, async () => {
  const keys = async () => {
    const report = await status();
    return Object.fromEntries(
      Object.entries(report).map(([key, value]) => [
        key,
        typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value).toSorted() : null,
      ]),
    );
  };
  const bare = {
    service: ["command", "configAudit", "label", "loaded", "loadedText", "name", "notLoadedText", "runtime", "scope"],
    config: ["cli"],
    gateway: ["authSource", "bindMode", "port", "portSource", "probeUrl"],
    stateDir: null,
    logFile: null,
    port: ["hints", "listeners", "port", "status"],
    derivedPorts: ["browserControl", "canvas", "cdp", "extensionRelay"],
    instances: null,
    extraServices: null,
  };
  assert.deepEqual(await keys(), bare);
  await cli("gateway", "install");
  assert.deepEqual(await keys(), {
    ...bare,
    service: [...bare.service, "byHand"].toSorted(),
    config: ["cli", "daemon", "mismatch"],
  });
});
