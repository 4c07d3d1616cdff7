import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { until } from "../../test/kit/conversation.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { createRunProcess, findProgram, type ProcessRequest } from "./process.ts";

const skip = process.platform === "win32";
const run = createRunProcess(systemClock);
let folder: string;
before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "process-")));
});
after(() => rm(folder, { recursive: true, force: true }));

const node = (script: string, extra: Partial<ProcessRequest> = {}) =>
  run({
    program: process.execPath,
    argv: ["node", "-e", script],
    env: { PATH: "/usr/bin:/bin" },
    timeoutMs: 10_000,
    maxOutputBytes: 100_000,
    ...extra,
  });
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test(
  "a program gets its arguments as they are, its folder, and no environment but the given one",
  { skip },
  async () => {
    const script = "console.log(JSON.stringify([process.argv.slice(1), process.cwd(), Object.keys(process.env)]))";
    const argv = ["node", "-e", script, "--", "$(id)", "a b", ";", "*"] as const;
    const result = await node(script, { argv: [...argv], cwd: folder, env: { ONE: "1" } });
    assert.equal(result.exitCode, 0, result.stderr);
    const [args, cwd, keys] = JSON.parse(result.stdout) as [string[], string, string[]];
    assert.deepEqual([args, cwd], [["$(id)", "a b", ";", "*"], folder]);
    assert.deepEqual(
      keys.filter((key) => !key.startsWith("__")),
      ["ONE"],
    );
  },
);

test("how it ended is told: exit code, both outputs, a signal", { skip }, async () => {
  const failed = await node("process.stdout.write('out'); process.stderr.write('err'); process.exit(7)");
  assert.deepEqual([failed.exitCode, failed.stdout, failed.stderr, failed.isTimedOut], [7, "out", "err", false]);
  const killed = await node("process.kill(process.pid, 'SIGKILL')");
  assert.deepEqual([killed.exitCode, killed.signal], [null, "SIGKILL"]);
});

test("output beyond the limit is dropped, and the program is not held up by it", { skip }, async () => {
  const script = "for (let i = 0; i < 100; i++) process.stdout.write('x'.repeat(65536))";
  const result = await node(script, { maxOutputBytes: 1_000 });
  assert.deepEqual([result.exitCode, result.stdout.length, result.isTruncated], [0, 1_000, true]);
});

test(
  "the time limit ends the program and its children, even those that refuse the polite signal",
  { skip },
  async () => {
    const file = join(folder, "pids");
    const child = `process.on("SIGTERM", () => {}); require("fs").appendFileSync(${JSON.stringify(file)}, process.pid + "\\n"); setInterval(() => {}, 1e6)`;
    const script = `process.on("SIGTERM", () => {}); for (let i = 0; i < 2; i++) require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}]); setInterval(() => {}, 1e6)`;
    const stop = new AbortController();
    const ended = node(script, { timeoutMs: 0, signal: stop.signal });
    const pids = async () =>
      (await readFile(file, "utf8").catch(() => "")).trim().split("\n").filter(Boolean).map(Number);
    await until(async () => (await pids()).length === 2);
    stop.abort();
    const result = await ended;
    assert.deepEqual([result.exitCode, result.signal], [null, "SIGKILL"]);
    for (const pid of await pids()) await until(() => !isAlive(pid));
    const late = await node("setInterval(() => {}, 1e6)", { timeoutMs: 50 });
    assert.deepEqual([late.isTimedOut, late.signal], [true, "SIGTERM"]);
  },
);

test("a child that holds the output open does not hold up the answer", { skip }, async () => {
  const script = `const c = require("child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 5000)"], { stdio: "inherit" }); console.log(c.pid); process.exit(0)`;
  const startedAt = performance.now();
  const { stdout, exitCode } = await node(script);
  assert.equal(exitCode, 0);
  assert.ok(performance.now() - startedAt < 4_000);
  process.kill(Number(stdout), "SIGKILL");
});

test("a program or folder that is not there is named", async () => {
  const missing = join(folder, "missing");
  await assert.rejects(
    node("", { program: missing }),
    (error) => error instanceof Fault && error.message.includes(missing),
  );
  await assert.rejects(node("", { cwd: missing }), /not a folder/u);
  await assert.rejects(node("", { cwd: "relative" }), /not a folder/u);
});

test(
  "programs are found on the search path alone; folders, texts and relative entries are none",
  { skip },
  async () => {
    const bin = join(folder, "bin");
    await mkdir(join(bin, "afolder"), { recursive: true });
    for (const name of ["tool", "text"]) await writeFile(join(bin, name), "#!/bin/sh\n");
    await chmod(join(bin, "tool"), 0o755);
    const search = { path: `${folder}/none:${bin}`, cwd: bin };
    assert.equal(await findProgram("tool", search), join(bin, "tool"));
    for (const name of ["text", "afolder", "nothing", "", "a\0b"])
      assert.equal(await findProgram(name, search), undefined);
    assert.equal(await findProgram("tool", { path: ":.:bin", cwd: bin }), undefined);
    assert.equal(await findProgram("./tool", { path: "", cwd: bin }), join(bin, "tool"));
    assert.equal(await findProgram(join(bin, "tool"), { path: "", cwd: "/" }), join(bin, "tool"));
  },
);
