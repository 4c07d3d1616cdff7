// bin/: from any folder, through links, on the right Node; and what the first milliseconds load.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const root = join(import.meta.dirname, "..", "..");
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "launcher-"));
});
after(() => rm(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  file: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const env = { PATH: process.env["PATH"], HOME: folder, ...options.env };
  return new Promise((resolve) => {
    execFile(file, args, { cwd: options.cwd ?? folder, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error ? 1 : 0, stdout, stderr });
    });
  });
}

const version = async () =>
  (JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string }).version;

test("all names start from any folder, also through relative and absolute links", async () => {
  await mkdir(join(folder, "a b"));
  await symlink(join(root, "bin", "openclaw"), join(folder, "absolute"));
  await symlink("../absolute", join(folder, "a b", "relative"));
  for (const file of [
    join(root, "bin", "openclaw"),
    join(root, "bin", "moltbot"),
    join(root, "bin", "clawdbot"),
    join(folder, "absolute"),
    join(folder, "a b", "relative"),
  ]) {
    assert.deepEqual(await run(file, ["--version"]), { code: 0, stdout: `${await version()}\n`, stderr: "" }, file);
  }
});

test("help speaks under the name that was called", async () => {
  assert.match((await run(join(root, "bin", "moltbot"), ["--help"])).stdout, /^Usage: moltbot /u);
});

test("the oldest name is the second one's: what it kept is found", async () => {
  const home = await mkdtemp(join(folder, "old-"));
  await mkdir(join(home, ".clawdbot"));
  await writeFile(join(home, ".clawdbot", "clawdbot.json"), "{ gateway: { port: 18999 } }", { mode: 0o600 });
  const { stdout } = await run(join(root, "bin", "clawdbot"), ["config", "get", "gateway.port"], {
    env: { HOME: home },
  });
  assert.equal(stdout, "18999\n");
  assert.match((await run(join(root, "bin", "clawdbot"), ["--help"])).stdout, /^Usage: moltbot /u);
});

test("the scripts take the checkout's own Node, whatever stands in the PATH", async () => {
  const decoy = join(folder, "decoy");
  await mkdir(decoy);
  await writeFile(join(decoy, "node"), "#!/bin/sh\necho decoy\n");
  await chmod(join(decoy, "node"), 0o755);
  const env = { PATH: `${decoy}:${process.env["PATH"]}` };
  assert.equal((await run(join(root, "bin", "openclaw"), ["--version"], { env })).stdout, `${await version()}\n`);
});

/** A copy of bin/ whose launcher believes that it runs on an old Node. */
async function copyLauncher(name: string): Promise<string> {
  const copy = join(folder, name);
  await mkdir(join(copy, "bin"), { recursive: true });
  await copyFile(join(root, "bin", "openclaw.mjs"), join(copy, "bin", "openclaw.mjs"));
  const text = await readFile(join(root, "bin", "launch.mjs"), "utf8");
  assert.ok(text.includes("process.versions.node"));
  await writeFile(join(copy, "bin", "launch.mjs"), text.replaceAll("process.versions.node", '"20.20.2"'));
  return copy;
}

test("a Node that is too old, outside of a checkout, gets one sentence and exit code 1", async () => {
  const copy = await copyLauncher("installed");
  const ran = await run(process.execPath, [join(copy, "bin", "openclaw.mjs"), "health"]);
  assert.deepEqual(ran, {
    code: 1,
    stdout: "",
    stderr:
      "openclaw needs Node 22.19 or newer, and this is 20.20.2. The Node that comes with it is not there: " +
      "install it again without --omit=optional, or install a newer Node, and try again.\n",
  });
});

test("within a checkout it goes on with the checkout's Node: arguments, streams, exit codes and signals pass through", async () => {
  const copy = await copyLauncher("checkout");
  await mkdir(join(copy, "node_modules", ".bin"), { recursive: true });
  // stands in for the newer Node
  const node = join(copy, "node_modules", ".bin", "node");
  await writeFile(
    node,
    '#!/bin/sh\nshift\ntrap "exit 9" TERM\necho "args: $*"\n[ "$1" = wait ] || exit 7\nwhile :; do sleep 0.05; done\n',
  );
  await chmod(node, 0o755);
  const launcher = join(copy, "bin", "openclaw.mjs");

  const ran = await run(process.execPath, [launcher, "agent", "-m", "a b"]);
  assert.deepEqual(ran, { code: 7, stdout: "args: agent -m a b\n", stderr: "" });

  const child = spawn(process.execPath, [launcher, "wait"], { stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout, "data");
  child.stdout.destroy();
  child.kill("SIGTERM");
  assert.deepEqual(await once(child, "exit"), [9, null]);
});

test("a child that a signal ended shows as the shell shows it", async () => {
  const copy = await copyLauncher("killed");
  await mkdir(join(copy, "node_modules", ".bin"), { recursive: true });
  const node = join(copy, "node_modules", ".bin", "node");
  await writeFile(node, "#!/bin/sh\nkill -9 $$\n");
  await chmod(node, 0o755);
  assert.equal((await run(process.execPath, [join(copy, "bin", "openclaw.mjs")])).code, 137);
});

test("the launcher is written for Nodes that are far too old", async () => {
  for (const name of ["launch.mjs", "openclaw.mjs", "moltbot.mjs", "clawdbot.mjs"]) {
    const text = await readFile(join(root, "bin", name), "utf8");
    assert.doesNotMatch(text, /\?\?|\?\.|^await |#[a-z]/mu, name);
  }
});
