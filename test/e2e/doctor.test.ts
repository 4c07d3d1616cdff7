// `doctor` beside a Gateway that runs, and under kill -9.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { createDoctorHome } from "../kit/doctor-home.ts";
import { createGatewayProcess, launcher } from "../kit/gateway-process.ts";

const made: { dispose(): Promise<void> }[] = [];
after(() => Promise.all(made.map((one) => one.dispose())));

interface Answer {
  readonly ok: boolean;
  readonly findings: readonly { id: string; message: string }[];
  readonly fixes: readonly { id: string; result: string }[];
}

test("R34: beside a running Gateway it finds nothing, tells what health tells, and a fix is taken up", async () => {
  const gateway = await createGatewayProcess();
  made.push(gateway);
  await chmod(join(gateway.folder, "state"), 0o700);
  await chmod(join(gateway.folder, "state", "openclaw.json"), 0o600);
  await gateway.start();
  const doctor = async (...args: string[]) =>
    JSON.parse((await gateway.cli("doctor", ...args, "--json")).stdout) as Answer;
  const identity = join(gateway.folder, "state", "identity", "device.json");
  const first = await doctor();
  assert.deepEqual(
    first.findings.map(({ id }) => id),
    ["access.short"],
    JSON.stringify(first.findings),
  );
  await assert.rejects(stat(identity), "not even a key of its own is made");

  const file = join(gateway.folder, "state", "openclaw.json");
  const old = '{ gateway: { mode: "local" }, // mine\n  agent: { maxConcurrent: 7 } }';
  await writeFile(file, old);
  const health = async () =>
    (JSON.parse((await gateway.cli("health", "--json")).stdout) as { problems: { message: string }[] }).problems;
  while ((await health()).length === 0) await sleep(50);
  const found = await doctor();
  assert.deepEqual(
    found.findings.map(({ id }) => id).filter((id) => id !== "access.short"),
    ["config.legacy", "channels.reported"],
  );
  const pid = gateway.pid();
  assert.equal((await doctor("--fix", "--only", "config")).fixes[0]?.result, "applied");
  while ((await health()).length > 0) await sleep(50);
  assert.equal(gateway.pid(), pid, "nothing was restarted");
  assert.match(await readFile(file, "utf8"), /\/\/ mine[\s\S]*agents/u);
  assert.equal((await gateway.cli("doctor", "undo")).code, 0);
  assert.equal(await readFile(file, "utf8"), old);
});

/** How long the writing takes depends on the machine: the time of a kill is looked for between too early and too late. */
function createAim() {
  let tooEarlyMs = 0;
  let tooLateMs: number | undefined;
  let delayMs = 0;
  return {
    delayMs: () => delayMs,
    learn(outcome: "untouched" | "partly" | "whole", round: number) {
      if (outcome === "untouched") tooEarlyMs = delayMs;
      if (outcome === "whole") tooLateMs = delayMs;
      const share = ((round * 7) % 10) / 10;
      delayMs = tooLateMs === undefined ? delayMs * 2 + 1 : tooEarlyMs + (tooLateMs - tooEarlyMs) * share;
    },
  };
}

/** Half a temporary file may be left: the next doctor finds it. */
const withoutHalves = (left: Readonly<Record<string, string>>, before: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(left).filter(([name]) => !/\.[0-9a-f]{12}\.tmp$/u.test(name) || name in before));

test("R34: kill -9 at any instant of a fix: what was changed can be put back", async () => {
  const machine = await createDoctorHome();
  made.push(machine);
  const files = ["exec-approvals.json", "node.json", "a.json.0123456789ab.tmp", "b.json.0123456789ab.tmp"];
  const plant = async () => {
    await machine.put(machine.config, '// mine\n{ agent: { model: "p/a" }, tlegram: 1, gateway: {} }', 0o644);
    for (const name of files) await machine.put(join(machine.state, name), name, 0o644);
    await mkdir(join(machine.state, "identity"), { recursive: true });
    await chmod(join(machine.state, "identity"), 0o755);
    for (const name of files.slice(2)) {
      const { utimes } = await import("node:fs/promises");
      await utimes(join(machine.state, name), 1, 1);
    }
  };
  await plant();
  const before = await machine.picture();
  const points = join(machine.state, "restore-points");
  const countPoints = async () => (await readdir(points).catch(() => [])).filter((name) => /^\d/u.test(name)).length;
  const outcomes = { untouched: 0, partly: 0, whole: 0 };
  const aim = createAim();
  for (let round = 0; round < 12 || (outcomes.partly === 0 && round < 40); round += 1) {
    const known = await countPoints();
    const child = spawn(process.execPath, [launcher, "doctor", "--fix", "--yes", "--force"], {
      env: machine.env,
      stdio: "ignore",
    });
    const ended = new Promise<number | null>((resolve) => {
      child.once("exit", (code) => resolve(code));
    });
    // from the moment on that the restore point begins to be made
    while ((await countPoints()) === known && child.exitCode === null) await sleep(1);
    await sleep(aim.delayMs());
    child.kill("SIGKILL");
    const code = await ended;
    const now = await machine.picture();
    const isChanged = JSON.stringify(now) !== JSON.stringify(before);
    const outcome = isChanged ? (code === 0 ? "whole" : "partly") : "untouched";
    outcomes[outcome] += 1;
    aim.learn(outcome, round);
    // old or new, never a third thing
    const text = await readFile(machine.config, "utf8");
    assert.ok(text.startsWith("// mine\n{") && text.endsWith("}"), text);
    if (isChanged || (await countPoints()) > known) {
      const undone = await machine.cli(["doctor", "undo"]);
      assert.equal(undone.code, 0, undone.stderr);
    }
    const left = await machine.picture();
    assert.deepEqual(withoutHalves(left, before), before);
  }
  assert.ok(outcomes.partly > 0, `some were killed in the middle: ${JSON.stringify(outcomes)}`);
});
