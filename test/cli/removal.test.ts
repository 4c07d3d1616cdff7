// `reset` and `uninstall` as their own processes: a running Gateway is safe from them, and a first start is a first start again.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { createFakeTools, workingSystemctl } from "../kit/fake-tools.ts";
import { createGatewayProcess, launcher, type GatewayProcess } from "../kit/gateway-process.ts";

let gateway: GatewayProcess;
before(async () => {
  gateway = await createGatewayProcess();
});
after(() => gateway?.dispose());

const state = () => join(gateway.folder, "state");
const names = async () => (await readdir(state())).toSorted();

test("nothing is done without a scope, without an answer, or to a Gateway that runs in the foreground", async () => {
  await gateway.start();
  const sessions = ["reset", "--scope", "config+creds+sessions"];
  const there = await names();
  for (const [args, code, words] of [
    [["reset"], 2, /reset what\?\nnext: pass --scope config, or config\+creds\+sessions, or full/u],
    [["reset", "--scope", "all"], 2, /no such scope: all/u],
    [sessions, 2, /nobody can be asked\nnext: pass --yes/u],
    [[...sessions, "--non-interactive"], 2, /--non-interactive needs --yes/u],
    [
      [...sessions, "--yes"],
      1,
      /another Gateway runs on this state folder \(pid \d+.*\nnext: stop it first .*nothing was removed/u,
    ],
    [["uninstall"], 2, /uninstall what\?/u],
    [["uninstall", "--all", "--yes"], 1, /another Gateway runs/u],
  ] as const) {
    const ran = await gateway.cli(...args);
    assert.equal(ran.code, code, `${args.join(" ")}: ${ran.stderr}`);
    assert.match(ran.stderr, words);
  }
  const dry = await gateway.cli(...sessions, "--dry-run");
  assert.deepEqual([dry.code, dry.stderr], [0, ""]);
  assert.match(dry.stdout, /remove .*state\/gateway\.sqlite\n/u);
  assert.deepEqual(await names(), there);
  assert.equal((await gateway.cli("health")).code, 0);
  await gateway.stop();
});

test("after a reset of config, credentials and sessions the next start is a first start; what went can be put back", async () => {
  const { code, stdout, stderr } = await gateway.cli("reset", "--scope", "config+creds+sessions", "--yes", "--json");
  assert.equal(code, 0, stderr);
  const { moves } = JSON.parse(stdout) as { moves: { from: string; to: string }[] };
  assert.ok(moves.some(({ from }) => from === join(state(), "openclaw.json")));
  const left = await names();
  assert.ok(!left.includes("gateway.sqlite") && !left.includes("credentials") && !left.includes("openclaw.json"));
  for (const { to } of moves) assert.ok(to.startsWith(join(state(), "trash-")));
  const refused = await gateway.start().then(
    () => "started",
    (error: Error) => error.message,
  );
  assert.match(refused, /Missing config/u);
});

test("uninstall with --purge leaves nothing but what it was not asked for", async () => {
  await mkdir(join(gateway.folder, ".openclaw", "workspace"), { recursive: true });
  await writeFile(join(gateway.folder, ".openclaw", "workspace", "AGENTS.md"), "mine");
  for (const name of await names()) if (name.startsWith("trash-")) await rm(join(state(), name), { recursive: true });
  const { code, stdout, stderr } = await gateway.cli("uninstall", "--state", "--service", "--purge", "--yes");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /the state folder is gone\n[\s\S]*The program itself stays/u);
  assert.ok(!(await readdir(gateway.folder)).includes("state"));
  assert.deepEqual(await readdir(join(gateway.folder, ".openclaw", "workspace")), ["AGENTS.md"]);
  const workspace = await gateway.cli("uninstall", "--workspace", "--purge", "--yes");
  assert.equal(workspace.code, 0, workspace.stderr);
  assert.deepEqual(await readdir(join(gateway.folder, ".openclaw")), []);
});

test(
  "the service is stopped before a reset, and taken away by uninstall",
  { skip: process.platform !== "linux" },
  async () => {
    const home = await mkdtemp(join(tmpdir(), "removal-"));
    const units = join(home, ".config", "systemd", "user");
    const tools = await createFakeTools(home);
    await tools.write("systemctl", workingSystemctl(units));
    await tools.write("loginctl", `[ "$1" = show-user ] && echo Linger=yes; exit 0`);
    await tools.write("journalctl", "exit 1");
    const env = { HOME: home, PATH: tools.path, NO_COLOR: "1", OPENCLAW_LOG_DIR: join(home, "log") };
    const cli = (...args: string[]) =>
      new Promise<string>((resolve, reject) => {
        execFile(process.execPath, [launcher, ...args], { cwd: home, env }, (error, stdout, stderr) => {
          if (error) reject(new Error(stderr, { cause: error }));
          else resolve(stdout);
        });
      });
    try {
      await cli("config", "set", "gateway.mode", "local");
      await cli("gateway", "install");
      await cli("completion", "fish", "--install");
      await mkdir(join(home, "log"), { recursive: true });
      for (const name of ["openclaw-2026-01-02.log", "openclaw-rescue-2026-01-02.log"])
        await writeFile(join(home, "log", name), "");
      await tools.calls();
      assert.match(await cli("reset", "--scope", "config", "--dry-run"), /remove .*openclaw\.json/u);
      assert.ok(!(await tools.calls()).some((call) => JSON.stringify(call).includes("stop")));
      assert.match(await cli("reset", "--scope", "full", "--yes"), /openclaw-gateway(?:\.service)? is stopped/u);
      assert.ok((await tools.calls()).some((call) => JSON.stringify(call).includes("stop")));
      assert.match(await cli("uninstall", "--service", "--yes"), /openclaw-gateway(?:\.service)? is uninstalled/u);
      assert.ok(!(await readdir(units)).includes("openclaw-gateway.service"));
      await cli("setup");
      const rest = await cli("uninstall", "--state", "--yes");
      assert.ok(rest.includes(`log stays, to be read: rm ${join(home, "log", "openclaw-2026-01-02.log")}\n`), rest);
      assert.match(rest, /completion of the shell stays: rm \S+openclaw\.fish\n/u);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  },
);
