import assert from "node:assert/strict";
import { lstat, mkdir, mkdtemp, readdir, rm, stat, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, beforeEach, test } from "node:test";

import fc from "fast-check";

import { createFakeTools, type FakeTools } from "../../test/kit/fake-tools.ts";
import { brandOf } from "../base/brand.ts";
import { systemClock, type Clock } from "../base/clock.ts";
import { createEnv } from "../platform/env.ts";
import { createRunProcess, type ProcessResult } from "../platform/process.ts";
import type { ServiceDefinition } from "./definition.ts";
import { createLaunchdManager } from "./launchd.ts";
import { createTool, type Tool } from "./tool.ts";

const skip = process.platform === "win32";
const label = "bot.molt.gateway";
const folders: string[] = [];
let folder: string;
let agents: string;
let tools: FakeTools;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "launchd-"));
  folders.push(folder);
  agents = join(folder, "Library", "LaunchAgents");
  tools = await createFakeTools(folder);
});
after(() => Promise.all(folders.map((it) => rm(it, { recursive: true, force: true }))));

const definition = (): ServiceDefinition => ({
  description: "Gateway",
  program: ["/opt/node", "/opt/app.mjs", "gateway"],
  workingDirectory: "/",
  environment: { A: "1" },
  output: { stdout: join(folder, "logs", "gateway.log"), stderr: join(folder, "logs", "gateway.err.log") },
});
const manager = (launchctl: Tool, clock: Clock = systemClock) =>
  createLaunchdManager({
    label,
    folder: agents,
    legacyLabels: ["com.openclaw.gateway", "com.clawdbot.gateway"],
    uid: 501,
    launchctl,
    clock,
    aside: { folder: join(folder, "removed"), clock: systemClock },
    output: definition().output,
  });
const tool = () =>
  createTool("launchctl", {
    env: createEnv(brandOf("openclaw"), { PATH: tools.path }),
    run: createRunProcess(systemClock),
  });

/** launchctl as it is: bootout of what is not there, and print of it, end with 3 and 113. */
const working = `
case "$1" in
  print)
    if [ ! -f "$STATE/loaded" ]; then echo "Could not find service \\"${label}\\" in domain for user gui: 501" >&2; exit 113; fi
    printf 'gui/501/${label} = {\\n\\tactive count = 1\\n\\tpath = /x.plist\\n\\ttype = LaunchAgent\\n\\tstate = running\\n\\n\\tprogram = /opt/node\\n\\truns = 1\\n\\tpid = 4711\\n\\timmediate reason = speculative\\n\\tlast exit code = (never exited)\\n}\\n' ;;
  bootstrap) if [ -f "$STATE/loaded" ]; then echo "Bootstrap failed: 5: Input/output error" >&2; exit 5; fi; touch "$STATE/loaded" ;;
  bootout) if [ ! -f "$STATE/loaded" ]; then echo "Boot-out failed: 3: No such process" >&2; exit 3; fi; rm "$STATE/loaded" ;;
  kickstart) [ -f "$STATE/loaded" ] || exit 113 ;;
esac`;

test(
  "an agent comes, is restarted without leaving launchd, stops, starts again and goes (R11, RB-95, RB-98, RB-115, RB-116)",
  { skip },
  async () => {
    await tools.write("launchctl", working);
    const it = manager(tool());
    assert.deepEqual(await it.status(), { isLoaded: false, runtime: { status: "stopped", missingUnit: true } });
    await tools.calls();
    assert.deepEqual(await it.install(definition()), []);
    assert.deepEqual(
      (await tools.calls()).filter((line) => !line.includes(" print ")),
      [`launchctl enable gui/501/${label}`, `launchctl bootstrap gui/501 ${it.path}`],
    );
    assert.equal((await stat(it.path)).mode & 0o777, 0o644);
    assert.ok((await readdir(join(folder))).includes("logs"), "launchd makes no folders");
    assert.deepEqual(await it.status(), {
      isLoaded: true,
      runtime: { status: "running", state: "running", pid: 4711 },
    });
    await tools.calls();

    await it.restart();
    assert.deepEqual(
      (await tools.calls()).filter((line) => !line.includes(" print ")),
      [`launchctl kickstart -k gui/501/${label}`],
    );
    assert.deepEqual(it.byHand, {
      stop: `launchctl bootout gui/$UID/${label}`,
      restart: `launchctl kickstart -k gui/$UID/${label}`,
    });
    await it.stop();
    await it.stop();
    assert.partialDeepStrictEqual(await it.status(), { isLoaded: false });
    await it.start();
    assert.partialDeepStrictEqual(await it.status(), { isLoaded: true });

    await unlink(it.path);
    assert.partialDeepStrictEqual(await it.status(), { isLoaded: true, runtime: { cachedLabel: true } });
    await it.uninstall();
    assert.partialDeepStrictEqual(await it.status(), { isLoaded: false });
  },
);

test("a link to the log of a Gateway in the foreground is not what launchd writes into", { skip }, async () => {
  await tools.write("launchctl", working);
  const { stdout } = definition().output;
  const log = join(folder, "the-log.log");
  await writeFile(log, "");
  await mkdir(dirname(stdout), { recursive: true });
  await symlink(log, stdout);
  await manager(tool()).install(definition());
  await assert.rejects(lstat(stdout), { code: "ENOENT" });
  await manager(tool()).uninstall();
  await tools.calls();
});

test("older labels are taken out, and their files kept (RB-98, RB-114)", { skip }, async () => {
  await tools.write("launchctl", working);
  await mkdir(agents, { recursive: true });
  for (const older of ["com.openclaw.gateway", "com.clawdbot.gateway", "com.openclaw.other"])
    await writeFile(join(agents, `${older}.plist`), "<plist/>");
  const told = await manager(tool()).install(definition());
  assert.deepEqual(
    told.map((line) => line.split(",")[0]),
    ["com.openclaw.gateway", "com.clawdbot.gateway"],
  );
  assert.deepEqual(await readdir(agents), [`${label}.plist`, "com.openclaw.other.plist"]);
  assert.equal((await readdir(join(folder, "removed"))).length, 2);
  assert.ok((await tools.calls()).includes("launchctl bootout gui/501/com.openclaw.gateway"));
});

test("without a login session launchd's number is told in words (RB-97)", { skip }, async () => {
  for (const [exit, text] of [
    [125, "Bootstrap failed: 125: Domain does not support specified action"],
    [112, "Could not find domain for port"],
  ] as const) {
    await tools.write(
      "launchctl",
      `case "$1" in print) exit 113 ;; bootstrap) echo "${text}" >&2; exit ${exit} ;; esac`,
    );
    await assert.rejects(manager(tool()).install(definition()), {
      code: "unreachable",
      message: /no login session/u,
      next: /log in on the screen.*LaunchDaemon/u,
    });
  }
});

test("what launchd says of an agent that ended is told (RB-96)", { skip }, async () => {
  await tools.write(
    "launchctl",
    `printf 'x = {\\n\\tstate = spawn scheduled\\n\\tlast exit code = 78: EX_CONFIG\\n\\tlast terminating signal = Killed: 9\\n}\\n'`,
  );
  await mkdir(agents, { recursive: true });
  await writeFile(join(agents, `${label}.plist`), "<plist/>");
  assert.deepEqual((await manager(tool()).status()).runtime, {
    status: "stopped",
    state: "spawn scheduled",
    lastExitStatus: 78,
    lastExitReason: "Killed: 9",
  });
});

/** Time that passes as soon as somebody waits for it. */
function createSkippingClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    monotonic: () => now,
    after(delayMs, task) {
      const handle = setImmediate(() => {
        now += delayMs;
        task();
      });
      return { cancel: () => clearImmediate(handle) };
    },
  };
}

/** A launchd that answers before it is done: an agent takes its time to leave, and meanwhile nothing can be brought in. */
function createSlowLaunchd(clock: Clock, delays: readonly number[]) {
  let isIn = true;
  let leavesAt: number | undefined;
  let refusals = 0;
  let turn = 0;
  const draw = () => delays[turn++ % delays.length] ?? 0;
  const answer = (exitCode: number, stdout = "", stderr = ""): ProcessResult => ({
    exitCode,
    signal: null,
    isTimedOut: false,
    stdout,
    stderr,
    isTruncated: false,
  });
  const settle = () => {
    if (leavesAt === undefined || clock.monotonic() < leavesAt) return;
    isIn = false;
    leavesAt = undefined;
  };
  const busy = (exitCode: number) => answer(exitCode, "", `Bootstrap failed: ${exitCode}: Input/output error`);
  const verbs: Readonly<Record<string, () => ProcessResult>> = {
    print: () => (isIn ? answer(0, "\tstate = running\n\tpid = 1\n") : answer(113)),
    bootout() {
      if (!isIn) return answer(3, "", "Boot-out failed: 3: No such process");
      leavesAt ??= clock.monotonic() + draw();
      refusals = draw() % 4;
      return draw() % 3 === 0 ? answer(36, "", "Boot-out failed: 36: Operation now in progress") : answer(0);
    },
    bootstrap() {
      if (isIn) return busy(draw() % 2 === 0 ? 5 : 37);
      if (refusals > 0) {
        refusals -= 1;
        return busy(5);
      }
      isIn = true;
      return answer(draw() % 5 === 0 ? 37 : 0);
    },
    kickstart: () => answer(isIn ? 0 : 113),
  };
  const launchctl: Tool = (verb = "") => {
    settle();
    return Promise.resolve(verbs[verb]?.() ?? answer(0));
  };
  return { launchctl, isIn: () => isIn && leavesAt === undefined };
}

test(
  "however slow launchd is, the agent is in at the end of install, start and restart (R11, RB-116)",
  { skip },
  async () => {
    const verbs = fc.array(fc.constantFrom("install", "start", "restart", "stop"), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(verbs, fc.array(fc.nat(20_000), { minLength: 1, maxLength: 8 }), async (steps, delays) => {
        const clock = createSkippingClock();
        const launchd = createSlowLaunchd(clock, delays);
        const it = manager(launchd.launchctl, clock);
        for (const step of steps) {
          if (step === "install") await it.install(definition());
          else await it[step as "start" | "restart" | "stop"]();
          assert.equal(launchd.isIn(), step !== "stop", step);
        }
      }),
      { numRuns: 1_000 },
    );
  },
);
