import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { createFakeTools, type FakeTools } from "../../test/kit/fake-tools.ts";
import { brandOf } from "../base/brand.ts";
import { systemClock } from "../base/clock.ts";
import { createEnv } from "../platform/env.ts";
import { createRunProcess } from "../platform/process.ts";
import type { ServiceDefinition } from "./definition.ts";
import { findOtherTasks } from "./others.ts";
import { createTaskManager } from "./schtasks.ts";
import { createTool } from "./tool.ts";

const skip = process.platform === "win32";
const name = "OpenClaw Gateway (rescue)";
const brand = brandOf("openclaw");
let folder: string;
let tools: FakeTools;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "schtasks-"));
  tools = await createFakeTools(folder);
});
after(() => rm(folder, { recursive: true, force: true }));

const definition: ServiceDefinition = {
  description: "Gateway",
  program: ["C:\\node.exe", "C:\\a b\\app.mjs", "gateway"],
  workingDirectory: "C:\\Users\\Ann",
  environment: { A: "100%" },
  output: { stdout: "x", stderr: "y" },
};
const tool = () =>
  createTool("schtasks", { env: createEnv(brand, { PATH: tools.path }), run: createRunProcess(systemClock) });
const manager = () => createTaskManager({ name, path: join(folder, "state", "gateway.cmd"), schtasks: tool() });

const working = `
case "$1" in
  /Query)
    if [ ! -f "$STATE/made" ]; then echo "ERROR: The system cannot find the file specified." >&2; exit 1; fi
    status=Ready; [ -f "$STATE/running" ] && status=Running
    printf '\\nFolder: \\\\\\nHostName:                             PC\\nTaskName:                             \\\\${name}\\nStatus:                               %s\\nLast Run Time:                        11/21/2026 9:07:00 AM\\nLast Result:                          267009\\n' $status ;;
  /Create) touch "$STATE/made"; echo "SUCCESS: The scheduled task has successfully been created." ;;
  /Run) touch "$STATE/running" ;;
  /End) rm -f "$STATE/running" ;;
  /Delete) rm -f "$STATE/made" ;;
esac`;

test("a task comes, stops, starts again and goes, and its script with it (RB-36)", { skip }, async () => {
  await tools.write("schtasks", working);
  const it = manager();
  assert.deepEqual(await it.status(), { isLoaded: false, runtime: { status: "stopped", missingUnit: true } });
  await tools.calls();
  await it.install(definition);
  assert.deepEqual((await tools.calls()).slice(0, 2), [
    `schtasks /Create /F /SC ONLOGON /RL LIMITED /TN ${name} /TR "${it.path}"`,
    `schtasks /Run /TN ${name}`,
  ]);
  assert.equal(
    await readFile(it.path, "utf8"),
    '@echo off\r\nrem Gateway\r\ncd /d "C:\\Users\\Ann"\r\nset "A=100%%"\r\n"C:\\node.exe" "C:\\a b\\app.mjs" "gateway"\r\n',
  );
  assert.deepEqual(await it.status(), {
    isLoaded: true,
    runtime: { status: "running", state: "Running", lastRunResult: "267009", lastRunTime: "11/21/2026 9:07:00 AM" },
  });
  await it.stop();
  assert.partialDeepStrictEqual(await it.status(), { isLoaded: true, runtime: { status: "stopped" } });
  await it.restart();
  assert.partialDeepStrictEqual(await it.status(), { runtime: { status: "running" } });
  await it.uninstall();
  assert.deepEqual(await readdir(join(folder, "state")), []);
  await it.stop();
  assert.partialDeepStrictEqual(await it.status(), { isLoaded: false });
});

test("what Windows refuses is told with what to do", { skip }, async () => {
  await tools.write("schtasks", `echo "ERROR: Access is denied." >&2; exit 1`);
  await assert.rejects(manager().start(), { code: "forbidden", next: /administrator/u });
  await tools.write("schtasks", `echo "ERROR: The system cannot find the file specified." >&2; exit 1`);
  await assert.rejects(manager().start(), { code: "not_found" });
});

test(
  "other tasks that look like a Gateway are found by name; those of our profiles are ours (RB-36, RB-110)",
  { skip },
  async () => {
    await tools.write(
      "schtasks",
      `printf 'TaskName:      \\\\${name}\\nTaskName:      \\\\OpenClaw Gateway (main)\\nTaskName:      \\\\Clawdbot Gateway\\nTaskName:      \\\\Backup\\n'`,
    );
    assert.deepEqual(await findOtherTasks(tool(), brand, name), [
      {
        platform: "win32",
        label: "Clawdbot Gateway",
        detail: "\\Clawdbot Gateway",
        scope: "user",
        marker: "clawdbot",
        legacy: true,
        cleanup: ['schtasks /Delete /F /TN "Clawdbot Gateway"'],
      },
    ]);
  },
);
