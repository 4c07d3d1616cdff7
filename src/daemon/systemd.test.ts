import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";

import { createFakeTools, workingSystemctl, type FakeTools } from "../../test/kit/fake-tools.ts";
import { brandOf } from "../base/brand.ts";
import { systemClock } from "../base/clock.ts";
import { createEnv } from "../platform/env.ts";
import { createRunProcess } from "../platform/process.ts";
import type { ServiceDefinition } from "./definition.ts";
import { ensureLinger } from "./linger.ts";
import { createSystemdManager, type SystemdOptions } from "./systemd.ts";
import { createTool } from "./tool.ts";

const skip = process.platform === "win32";
const unit = "openclaw-gateway.service";
const folders: string[] = [];
let folder: string;
let units: string;
let tools: FakeTools;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "systemd-"));
  folders.push(folder);
  units = join(folder, ".config", "systemd", "user");
  tools = await createFakeTools(folder);
  await tools.write("systemctl", workingSystemctl(units));
});
after(() => Promise.all(folders.map((it) => rm(it, { recursive: true, force: true }))));

const definition: ServiceDefinition = {
  description: "Gateway",
  program: ["/opt/node", "/opt/app.mjs", "gateway"],
  workingDirectory: "/",
  environment: { A: "1" },
  output: { stdout: "/x", stderr: "/y" },
};
const tool = (name: string) =>
  createTool(name, { env: createEnv(brandOf("openclaw"), { PATH: tools.path }), run: createRunProcess(systemClock) });
const manager = (extra: Partial<SystemdOptions> = {}) =>
  createSystemdManager({
    unit,
    scope: "user",
    folder: units,
    legacyUnits: ["clawdbot-gateway.service"],
    systemctl: tool("systemctl"),
    journalctl: tool("journalctl"),
    clock: systemClock,
    user: { name: "ann", uid: 1000 },
    isWsl: false,
    isBooted: () => Promise.resolve(true),
    aside: { folder: join(folder, "removed"), clock: systemClock },
    settleMs: 20,
    ...extra,
  });

test("a service comes, stops, starts again and goes, and its file with it (RB-119, RB-121)", { skip }, async () => {
  const it = manager();
  assert.deepEqual(await it.status(), {
    isLoaded: false,
    runtime: { status: "stopped", state: "inactive", subState: "dead", missingUnit: true },
  });
  assert.equal(await it.read(), undefined);
  await tools.calls();
  assert.deepEqual(await it.install(definition), []);
  const calls = await tools.calls();
  assert.deepEqual(calls.slice(1, 4), [
    "systemctl --user daemon-reload",
    `systemctl --user enable ${unit}`,
    `systemctl --user restart ${unit}`,
  ]);
  assert.equal((await stat(it.path)).mode & 0o777, 0o644);
  assert.partialDeepStrictEqual(await it.read(), { program: definition.program, environment: { A: "1" } });
  assert.partialDeepStrictEqual(await it.status(), { isLoaded: true, runtime: { status: "running", pid: 4711 } });
  await it.stop();
  assert.partialDeepStrictEqual(await it.status(), { isLoaded: true, runtime: { status: "stopped" } });
  await it.start();
  await it.restart();
  assert.partialDeepStrictEqual(await it.status(), { runtime: { status: "running" } });
  await it.uninstall();
  assert.deepEqual(await readdir(units), []);
  assert.partialDeepStrictEqual(await it.status(), { isLoaded: false, runtime: { missingUnit: true } });
});

test("a unit of an older name is stopped, and kept where only its owner reads it (RB-112)", { skip }, async () => {
  await mkdir(units, { recursive: true });
  await writeFile(join(units, "clawdbot-gateway.service"), "[Service]\nEnvironment=CLAWDBOT_GATEWAY_TOKEN=x\n");
  const [told = ""] = await manager().install(definition);
  assert.match(told, /^clawdbot-gateway\.service, of an older name, was taken away; it is kept as /u);
  assert.ok((await tools.calls()).includes("systemctl --user disable --now clawdbot-gateway.service"));
  assert.deepEqual(await readdir(units), [unit]);
  const [kept = ""] = await readdir(join(folder, "removed"));
  assert.equal((await stat(join(folder, "removed", kept))).mode & 0o777, 0o600);
  assert.match(await readFile(join(folder, "removed", kept), "utf8"), /TOKEN=x/u);
});

test("a service that ends at once is told, with how it ended (RB-96, OV-22)", { skip }, async () => {
  await tools.write(
    "systemctl",
    `case "$*" in *ActiveState*) printf 'LoadState=loaded\\nActiveState=activating\\nSubState=auto-restart\\nMainPID=0\\nExecMainStatus=1\\nExecMainCode=1\\n' ;; esac`,
  );
  assert.deepEqual(await manager().install(definition), [
    "the service was started and ended at once (exit code 1); systemd starts it again every 5 s",
  ]);
  assert.deepEqual((await manager().status()).runtime, {
    status: "stopped",
    state: "activating",
    subState: "auto-restart",
    lastExitStatus: 1,
    lastExitReason: "exit code 1",
  });
});

test("a unit that systemd does not see after it was written is an error, not a success", { skip }, async () => {
  await tools.write("systemctl", `case "$*" in *ActiveState*) echo LoadState=not-found ;; esac`);
  await assert.rejects(manager().install(definition), { code: "not_found", message: /does not find/u });
});

const noBus =
  "Failed to connect to user scope bus via local transport: $DBUS_SESSION_BUS_ADDRESS and $XDG_RUNTIME_DIR not defined (consider using --machine=<user>@.host --user to connect to bus of other user)";
const failures: [said: string, code: string, message: RegExp, next: RegExp][] = [
  [
    "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down",
    "unreachable",
    /^systemd does not run on this machine/u,
    /foreground/u,
  ],
  [
    noBus,
    "unreachable",
    /XDG_RUNTIME_DIR is not set/u,
    /enable-linger ann && export XDG_RUNTIME_DIR=\/run\/user\/1000/u,
  ],
  ["Failed to connect to bus: No medium found", "unreachable", /there is no bus/u, /enable-linger ann/u],
  ["Failed to connect to bus: No such file or directory", "unreachable", /there is no bus/u, /enable-linger/u],
  ["Failed to connect to bus: Connection refused", "unreachable", /there is no bus/u, /enable-linger/u],
  ["Failed to connect to bus: Operation not permitted", "forbidden", /another user/u, /without sudo/u],
  [`Failed to restart ${unit}: Unit ${unit} not found.`, "not_found", /no unit/u, /install/u],
  [`Failed to enable unit: Unit file ${unit} does not exist.`, "not_found", /no unit/u, /install/u],
  [`Failed to restart ${unit}: Unit ${unit} is masked.`, "forbidden", /masked/u, /systemctl --user unmask/u],
  [
    `Job for ${unit} failed because the control process exited with error code.\nSee "systemctl --user status ${unit}" and "journalctl --user -xeu ${unit}" for details.`,
    "unreachable",
    /does not start/u,
    /journalctl --user -u/u,
  ],
  [`Failed to restart ${unit}: Start request repeated too quickly.`, "unreachable", /given it up/u, /reset-failed/u],
  [`Failed to restart ${unit}: Access denied`, "forbidden", /may not/u, /user/u],
  ["Failed to enable unit: Read-only file system", "forbidden", /read-only/u, /declare/u],
  [`Failed to restart ${unit}: Connection timed out`, "unreachable", /in time/u, /again/u],
  [`Failed to restart ${unit}: Unit ${unit} has a bad unit file setting.`, "internal", /understand/u, /--force/u],
  ["Something new", "unreachable", /^systemctl failed: Something new$/u, /status/u],
];

test("each failure of systemctl is told by what is missing, with what to type (R12, RB-119)", { skip }, async () => {
  await mkdir(units, { recursive: true });
  for (const [text, code, message, next] of failures) {
    await tools.write("systemctl", `cat >&2 <<'END'\n${text}\nEND\nexit 1`);
    await assert.rejects(manager().restart(), { code, message, next }, text);
    const { isLoaded, runtime } = await manager().status();
    assert.deepEqual([isLoaded, runtime.status], [false, "unknown"], text);
    assert.match(runtime.detail ?? "", message);
    await assert.rejects(manager().install(definition), { code }, text);
    assert.deepEqual(await readdir(units), [], "no file is left that nobody reads");
  }
});

test("within WSL the missing systemd is turned on in Windows' terms (RB-119, RB-130)", { skip }, async () => {
  await tools.write("systemctl", `echo "System has not been booted with systemd as init system" >&2; exit 1`);
  await assert.rejects(manager({ isWsl: true }).start(), { next: /\/etc\/wsl\.conf.*wsl --shutdown/u });
});

test("where systemd does not run at all, the bus is not blamed", { skip }, async () => {
  await tools.write("systemctl", `echo "Failed to connect to bus: No such file or directory" >&2; exit 1`);
  const isBooted = () => Promise.resolve(false);
  await assert.rejects(manager({ isBooted }).start(), { message: /^systemd does not run on this machine/u });
});

test("without systemctl that is said, and the status is unknown", { skip }, async () => {
  const systemctl = createTool("systemctl", {
    env: createEnv(brandOf("openclaw"), { PATH: join(folder, "nothing") }),
    run: createRunProcess(systemClock),
  });
  const it = manager({ systemctl });
  await assert.rejects(it.start(), { code: "not_found", message: "systemctl is not on this machine" });
  assert.partialDeepStrictEqual(await it.status(), { runtime: { status: "unknown" } });
});

test(
  "a service of the whole machine is asked without --user, and told to be so (RB-128, RB-129)",
  { skip },
  async () => {
    await tools.write(
      "systemctl",
      `echo "Failed to restart ${unit}: Interactive authentication required." >&2; exit 1`,
    );
    await assert.rejects(manager({ scope: "system" }).restart(), { code: "forbidden", next: "type it with sudo" });
    assert.deepEqual(await tools.calls(), [`systemctl restart ${unit}`]);
  },
);

test(
  "lingering is turned on where that needs no password, else its command is told (RB-125, OV-20)",
  { skip },
  async () => {
    const loginctl = tool("loginctl");
    await tools.write("loginctl", `[ "$1" = show-user ] && echo Linger=yes`);
    assert.equal(await ensureLinger(loginctl, "ann"), undefined);
    assert.deepEqual(await tools.calls(), ["loginctl show-user ann -p Linger"]);

    await tools.write("loginctl", `[ "$1" = show-user ] && echo Linger=no; exit 0`);
    assert.equal(await ensureLinger(loginctl, "ann"), undefined);
    assert.deepEqual(await tools.calls(), ["loginctl show-user ann -p Linger", "loginctl enable-linger ann"]);

    await tools.write(
      "loginctl",
      `[ "$1" = show-user ] && { echo Linger=no; exit 0; }; echo "Could not enable linger: Access denied" >&2; exit 1`,
    );
    assert.match(
      (await ensureLinger(loginctl, "ann")) ?? "",
      /type.*: sudo loginctl enable-linger ann .*Access denied/u,
    );
  },
);
