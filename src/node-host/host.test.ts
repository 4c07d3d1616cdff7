import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";

import { until } from "../../test/kit/conversation.ts";
import { systemClock } from "../base/clock.ts";
import { systemIds } from "../base/ids.ts";
import { silentLog } from "../base/log.ts";
import { createExecApprovalsStore } from "../config/exec-approvals.ts";
import { createRunProcess, findProgram } from "../platform/process.ts";
import { createCommands, type Command } from "./commands.ts";
import { createNodeHost } from "./host.ts";
import { createSystemRun } from "./system-run.ts";

const skip = process.platform === "win32";
let folder: string;
let bin: string;
before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "node-host-")));
  bin = join(folder, "bin");
  await mkdir(bin);
});
after(() => rm(folder, { recursive: true, force: true }));
afterEach(() => rm(join(folder, "exec-approvals.json"), { force: true }));

interface Sent {
  readonly id: string;
  readonly ok: boolean;
  readonly payload: Record<string, unknown>;
  readonly error?: { code: string; message: string };
}

function setUp(options: { platform?: NodeJS.Platform; extra?: Record<string, Command> } = {}) {
  const results: Sent[] = [];
  const events: { event: string; payload: Record<string, unknown> }[] = [];
  const approvals = createExecApprovalsStore(join(folder, "exec-approvals.json"));
  const runProcess = createRunProcess(systemClock);
  const path = `${bin}:/usr/bin:/bin`;
  const shared = {
    approvals,
    runProcess,
    findProgram: (name: string, cwd: string) => findProgram(name, { path, cwd }),
    variable: (name: string) => ({ PATH: path, HOME: folder, SECRET_TOKEN: "hunter2" })[name],
    home: folder,
  };
  const systemRun = createSystemRun({
    ...shared,
    ids: systemIds,
    tell: (event, payload) => events.push({ event, payload: payload as Record<string, unknown> }),
  });
  const commands = {
    ...createCommands({ ...shared, systemRun, platform: options.platform ?? "linux" }),
    ...options.extra,
  };
  const host = createNodeHost({
    client: {
      async callAny(method, params) {
        assert.equal(method, "node.invoke.result");
        const { payloadJSON, ...rest } = params as { payloadJSON?: string };
        results.push({ ...rest, payload: JSON.parse(payloadJSON ?? "null") } as unknown as Sent);
        return { ok: true };
      },
    },
    commands,
    ids: systemIds,
    log: silentLog,
  });
  let count = 0;
  const invoke = async (command: string, params: unknown, extra: object = {}) => {
    const id = `i${(count += 1)}`;
    host.take({ id, nodeId: "n", command, paramsJSON: JSON.stringify(params), ...extra });
    await until(() => results.some((result) => result.id === id));
    return results.find((result) => result.id === id)!;
  };
  const allow = async (file: object) =>
    writeFile(join(folder, "exec-approvals.json"), JSON.stringify({ version: 1, ...file }));
  return { host, invoke, results, events, allow };
}
const full = { defaults: { security: "full", ask: "off" } };

test("without rules of its own the machine runs nothing, and says so", { skip }, async () => {
  const { invoke, events } = setUp();
  const answer = await invoke("system.run", {
    command: ["id"],
    approved: true,
    approvalDecision: "allow-once",
    sessionKey: "s",
  });
  assert.equal(answer.ok, false);
  assert.match(answer.error!.message, /^SYSTEM_RUN_DISABLED: security=deny/u);
  assert.deepEqual(events, [
    {
      event: "exec.denied",
      payload: { sessionKey: "s", runId: undefined, host: "node", command: "id", reason: "security=deny" },
    },
  ]);
});

test(
  "an allowed program runs with its arguments as they are, and its end is told before the answer",
  { skip },
  async () => {
    const { invoke, allow, events } = setUp();
    await allow({ defaults: { security: "allowlist" }, agents: { main: { allowlist: [{ pattern: "/**/printf" }] } } });
    const { ok, payload } = await invoke("system.run", {
      command: ["printf", "%s|", "$(id)", ";", "a b"],
      cwd: folder,
      rawCommand: "rm",
    });
    assert.deepEqual(
      [ok, payload],
      [
        true,
        {
          exitCode: 0,
          timedOut: false,
          success: true,
          stdout: "$(id)|;|a b|",
          stderr: "",
          error: null,
          truncated: false,
        },
      ],
    );
    assert.deepEqual([events[0]?.event, events[0]?.payload["output"]], ["exec.finished", "$(id)|;|a b|"]);
    const other = await invoke("system.run", { command: ["uname"] });
    assert.match(other.error!.message, /^SYSTEM_RUN_DENIED: approval required/u);
  },
);

test("the environment is built here: no secret of the host, the caller's own only with leave", { skip }, async () => {
  const { invoke, allow } = setUp();
  await allow(full);
  const { payload } = await invoke("system.run", { command: ["env"], env: { GREETING: "hi" } });
  const names = String(payload["stdout"])
    .trim()
    .split("\n")
    .map((line) => line.split("=")[0])
    .toSorted();
  assert.deepEqual(
    names.filter((name) => name !== "_" && name !== "PWD" && name !== "SHLVL"),
    ["GREETING", "HOME", "PATH"],
  );
  const bad = await invoke("system.run", { command: ["env"], env: { LD_PRELOAD: "/x.so" } });
  assert.equal(bad.error?.code, "INVALID_REQUEST");
});

test("always means these very arguments from then on", { skip }, async () => {
  const { invoke, allow } = setUp();
  await allow({ defaults: { security: "allowlist" }, socket: { path: "/s", token: "t" } });
  const run = (args: string[], extra: object = {}) =>
    invoke("system.run", { command: ["uname", ...args], agentId: "a", ...extra });
  assert.equal((await run(["-s"])).ok, false);
  assert.equal((await run(["-s"], { approved: true, approvalDecision: "allow-once" })).ok, true);
  assert.equal((await run(["-s"])).ok, false, "once is once");
  assert.equal((await run(["-s"], { approved: true, approvalDecision: "allow-always" })).ok, true);
  assert.equal((await run(["-s"])).ok, true);
  assert.equal((await run(["-r"])).ok, false);
  const file = JSON.parse(await readFile(join(folder, "exec-approvals.json"), "utf8")) as Record<string, unknown>;
  assert.deepEqual(file["socket"], { path: "/s", token: "t" });
});

test("a command that takes too long is ended with what it had said", { skip }, async () => {
  const { invoke, allow } = setUp();
  await allow(full);
  const { payload } = await invoke("system.run", { command: ["sh", "-c", "echo one; sleep 60"], timeoutMs: 200 });
  assert.deepEqual(
    [payload["timedOut"], payload["success"], payload["exitCode"], payload["stdout"]],
    [true, false, null, "one\n"],
  );
});

test("a file of rules that cannot be read stops everything", { skip }, async () => {
  const { invoke } = setUp();
  await writeFile(join(folder, "exec-approvals.json"), "{ broken");
  const answer = await invoke("system.run", { command: ["true"], approved: true });
  assert.match(answer.error!.message, /exec-approvals\.json/u);
});

test("params that are none are refused by name", { skip }, async () => {
  const { invoke, allow } = setUp();
  await allow(full);
  const bad: readonly [object, RegExp][] = [
    [{}, /command must be a list/u],
    [{ command: "ls -l" }, /command must be a list/u],
    [{ command: [] }, /command required/u],
    [{ command: [" "] }, /command required/u],
    [{ command: ["a\0b"] }, /NUL/u],
    [{ command: ["true"], cwd: 7 }, /cwd must be a text/u],
    [{ command: ["true"], cwd: "/nowhere/at/all" }, /not a folder/u],
    [{ command: ["true"], env: ["A=1"] }, /env must be an object/u],
    [{ command: ["true"], timeoutMs: -1 }, /timeoutMs/u],
    [{ command: ["no-such-program-here"] }, /no such program/u],
  ];
  for (const [params, expected] of bad)
    assert.match((await invoke("system.run", params)).error?.message ?? "", expected);
  assert.match((await invoke("constructor", {})).error!.message, /command not supported/u);
  assert.match((await invoke("system.run", {}, { paramsJSON: "{" })).error!.message, /not JSON/u);
});

test("which tells where programs are; what is not there is left out", { skip }, async () => {
  const { invoke } = setUp();
  await writeFile(join(bin, "tool"), "#!/bin/sh\n", { mode: 0o755 });
  const { payload } = await invoke("system.which", { bins: ["tool", "tool", "no-such-program-here", "../bin/tool"] });
  assert.deepEqual(payload, { bins: { tool: join(bin, "tool") } });
  assert.equal((await invoke("system.which", { bins: "tool" })).error?.code, "INVALID_REQUEST");
});

test(
  "a notification's texts are arguments of the desktop's own program; without one the answer is honest",
  { skip },
  async () => {
    const { invoke } = setUp();
    await rm(join(bin, "notify-send"), { force: true });
    const bare = await invoke("system.notify", { title: "t" });
    if (!bare.ok) assert.match(bare.error!.message, /NOTIFY_(?:UNAVAILABLE|FAILED)/u);
    const script = `#!/bin/sh\nprintf '%s\\n' "$@" > ${folder}/notice\n`;
    await writeFile(join(bin, "notify-send"), script, { mode: 0o755 });
    assert.equal((await invoke("system.notify", { title: "-t $(id)", body: "b; c" })).ok, true);
    assert.equal(await readFile(join(folder, "notice"), "utf8"), "--\n-t $(id)\nb; c\n");
    assert.equal((await invoke("system.notify", { title: " " })).error?.code, "INVALID_REQUEST");
    await writeFile(join(bin, "notify-send"), "#!/bin/sh\necho no display >&2; exit 1\n", { mode: 0o755 });
    assert.match((await invoke("system.notify", { title: "t" })).error!.message, /NOTIFY_FAILED: no display/u);
    const other = await setUp({ platform: "win32" }).invoke("system.notify", { title: "t" });
    assert.match(other.error!.message, /NOTIFY_UNAVAILABLE/u);
  },
);

test("the file of rules is read and replaced as on the Gateway", { skip }, async () => {
  const { invoke } = setUp();
  const first = (await invoke("system.execApprovals.get", {})).payload;
  assert.equal(first["exists"], false);
  const set = (params: object) => invoke("system.execApprovals.set", params);
  const made = (await set({ file: { version: 1, defaults: { security: "allowlist" } } })).payload;
  assert.match((await set({ file: { version: 1 } })).error!.message, /base hash required/u);
  assert.match((await set({ file: { version: 2 }, baseHash: made["hash"] })).error!.message, /version must be 1/u);
  assert.equal((await set({ file: { version: 1 }, baseHash: made["hash"] })).ok, true);
});

test(
  "the same key and command is done once and answered twice; another command under the key is another",
  { skip },
  async () => {
    let runs = 0;
    const count: Command = async ({ params }) => ({ n: (runs += 1), params });
    const { invoke } = setUp({ extra: { count } });
    const first = await invoke("count", { a: 1 }, { idempotencyKey: "k" });
    const second = await invoke("count", { a: 1 }, { idempotencyKey: "k" });
    assert.deepEqual([first.payload, second.payload, runs], [{ n: 1, params: { a: 1 } }, first.payload, 1]);
    await invoke("count", { a: 2 }, { idempotencyKey: "k" });
    await invoke("count", { a: 1 });
    assert.equal(runs, 3);
  },
);

test("a bug in a command is an answer with a number, and no text of it leaves the machine", { skip }, async () => {
  const { invoke } = setUp({ extra: { broken: () => Promise.reject(new Error("secret of the house")) } });
  const answer = await invoke("broken", {});
  assert.match(answer.error!.message, /^internal error [0-9a-f]{8} in broken$/u);
});

test("too many at once are refused, and stopping ends what runs and takes nothing more", { skip }, async () => {
  const { host, invoke, allow, results } = setUp();
  await allow(full);
  for (let n = 0; n < 16; n += 1)
    host.take({
      id: `s${n}`,
      nodeId: "n",
      command: "system.run",
      paramsJSON: '{"command":["sleep","60"]}',
      timeoutMs: 60_000,
    });
  const refused = await invoke("system.which", { bins: [] });
  assert.match(refused.error!.message, /runs 16 commands already/u);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await host.stop();
  assert.equal(results.filter(({ id }) => id.startsWith("s")).length, 16);
  assert.match((await invoke("system.which", { bins: [] })).error!.message, /stopping/u);
});

test("what is no command is left alone", () => {
  const { host, results } = setUp();
  for (const request of [undefined, null, 7, "x", [], {}, { id: 1 }, { id: "a", nodeId: "n" }]) host.take(request);
  assert.deepEqual(results, []);
});
