// The life of the service under a real systemd, from install to uninstall, where one can be run (test/kit/user-systemd).

import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { freePort, launcher } from "../kit/gateway-process.ts";
import { startUserSystemd, type Ran, type UserSystemd } from "../kit/user-systemd.ts";

let home: string;
let port: number;
let systemd: UserSystemd | undefined;
before(async () => {
  home = await mkdtemp(join(tmpdir(), "real-systemd-"));
  port = await freePort();
  systemd = await startUserSystemd(home);
});
after(async () => {
  await systemd?.stop();
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

const unit = "openclaw-gateway-rescue.service";

async function cli(...args: string[]): Promise<Ran> {
  const env = { PATH: process.env["PATH"], HOME: home, NO_COLOR: "1", OPENCLAW_LOG_DIR: join(home, "log") };
  const ran = await systemd?.run([process.execPath, launcher, "--profile", "rescue", ...args], env);
  return ran ?? assert.fail("no systemd");
}

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await cli(...args, "--json");
  assert.equal(code, 0, stdout + stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

interface Status {
  readonly service: { readonly runtime: { readonly pid?: number; readonly status: string } };
  readonly rpc?: { readonly ok: boolean };
}
const status = async () => (await json("gateway", "status")) as unknown as Status;

async function until(isSo: (now: Status) => boolean, timeoutMs = 20_000): Promise<Status> {
  for (const end = Date.now() + timeoutMs; ;) {
    const now = await status();
    if (isSo(now)) return now;
    assert.ok(Date.now() < end, JSON.stringify(now));
  }
}

test("under a real systemd it is installed, serves, stops, starts, comes back after kill -9, and goes (RB-100, RB-113, RB-119..124, RB-141, OV-20..22, OV-24, VG-11, VG-12)", async (t) => {
  if (systemd === undefined) {
    t.skip("no user manager of systemd can be run here");
    return;
  }
  const installed = await json("gateway", "install", "--allow-unconfigured", "--port", String(port));
  assert.partialDeepStrictEqual(installed, { result: "installed", service: { loaded: true } });
  const first = await until(({ rpc }) => rpc?.ok === true);
  assert.equal(first.service.runtime.status, "running");
  const pid = first.service.runtime.pid ?? 0;
  assert.equal((await json("gateway", "install", "--port", String(port)))["result"], "already-installed");
  const shown = await systemd.run(["systemctl", "--user", "show", unit, "-p", "Restart,RestartUSec,WantedBy,Wants"]);
  assert.match(shown.stdout, /^Restart=always$/mu);
  assert.match(shown.stdout, /^RestartUSec=5s$/mu);
  assert.match(shown.stdout, /^WantedBy=default\.target$/mu);
  assert.match(shown.stdout, /^Wants=.*network-online\.target/mu);

  process.kill(pid, "SIGKILL");
  const back = await until(({ rpc, service }) => rpc?.ok === true && service.runtime.pid !== pid);
  await json("gateway", "restart");
  const anew = await until(({ rpc, service }) => rpc?.ok === true && service.runtime.pid !== back.service.runtime.pid);
  assert.equal(anew.service.runtime.status, "running");

  await json("gateway", "stop");
  const stopped = await status();
  assert.equal(stopped.service.runtime.status, "stopped");
  assert.equal(stopped.rpc?.ok, false);
  const result = await systemd.run(["systemctl", "--user", "show", unit, "-p", "Result,ExecMainStatus"]);
  assert.match(result.stdout, /^Result=success$/mu, "a stop is no failure");
  await json("gateway", "start");
  await until(({ rpc }) => rpc?.ok === true);

  await json("gateway", "uninstall");
  assert.deepEqual(
    (await readdir(join(home, ".config", "systemd", "user"), { recursive: true })).filter((it) => it.endsWith(unit)),
    [],
  );
  assert.partialDeepStrictEqual(await status(), { service: { loaded: false, runtime: { missingUnit: true } } });
});

test("a Gateway that cannot start is told by the install, and tried again until its config is mended (RB-96, OV-22)", async (t) => {
  if (systemd === undefined) {
    t.skip("no user manager of systemd can be run here");
    return;
  }
  const installed = await json("gateway", "install", "--port", String(port));
  assert.match(JSON.stringify(installed["warnings"]), /gateway\.mode is not set/u);
  assert.match(JSON.stringify(installed["warnings"]), /ended at once \(exit code 1\).*every 5 s/u);
  const shown = await json("gateway", "status", "--no-probe");
  assert.partialDeepStrictEqual(shown, { service: { loaded: true, runtime: { lastExitStatus: 1 } } });
  assert.equal((await cli("config", "set", "gateway.mode", "local")).code, 0);
  await until(({ rpc }) => rpc?.ok === true);
  await json("gateway", "uninstall");
});

test("a unit of the whole machine is the service when the user has none, and is told beside the user's own (RB-103, RB-128, OV-25)", async (t) => {
  if (systemd === undefined) {
    t.skip("no user manager of systemd can be run here");
    return;
  }
  const machine = "/etc/systemd/system";
  const file = join(machine, unit);
  await json("gateway", "install", "--allow-unconfigured", "--port", String(port));
  // over the machine's own folder, in the namespace alone
  for (const argv of [
    ["mount", "-t", "tmpfs", "tmpfs", machine],
    ["cp", join(home, ".config", "systemd", "user", unit), file],
    ["sed", "-i", "s/WantedBy=default.target/WantedBy=multi-user.target/; s/^\\[Service\\]/&\\nUser=root/", file],
  ] as const)
    assert.equal((await systemd.run(argv)).code, 0, argv.join(" "));

  assert.deepEqual((await json("gateway", "status", "--no-probe"))["extraServices"], []);
  assert.partialDeepStrictEqual(await json("gateway", "status", "--no-probe", "--deep"), {
    service: { scope: "user" },
    extraServices: [{ detail: file, scope: "system", marker: "openclaw" }],
  });
  await json("gateway", "uninstall");
  assert.partialDeepStrictEqual(await json("gateway", "status", "--no-probe"), {
    service: { scope: "system", name: unit, command: { sourcePath: file } },
    gateway: { port, portSource: "service args" },
  });
  const refused = await cli("gateway", "install");
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /already makes it a service of the whole machine/u);
});
