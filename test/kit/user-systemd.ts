// A real user manager of systemd in a mount namespace of its own, for a home folder of the test: the machine's own systemd, if there is
// one, is not touched. Needs root and the programs; without them there is none.

import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { join } from "node:path";

export interface UserSystemd {
  /** Runs a program where this systemd is the system's. */
  run(argv: readonly [string, ...string[]], env?: NodeJS.ProcessEnv): Promise<Ran>;
  stop(): Promise<void>;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const manager = "/lib/systemd/systemd";
const hierarchies = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"];

/** undefined where no such manager can run. */
export async function startUserSystemd(home: string): Promise<UserSystemd | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || !existsSync(manager)) return undefined;
  const group = `gateway-test-${process.pid}`;
  const groups = hierarchies.filter((path) => existsSync(join(path, "cgroup.procs"))).map((path) => join(path, group));
  const script = [
    "mount -t tmpfs tmpfs /run || exit 1",
    "mkdir -p /run/systemd/system /run/user/0 && chmod 700 /run/user/0",
    // what it makes stays below a group that can be taken away afterwards
    ...groups.map((path) => `mkdir ${path} 2>/dev/null && echo $$ > ${path}/cgroup.procs`),
    `exec ${manager} --user --log-target=null`,
  ].join("\n");
  const env = { PATH: process.env["PATH"], HOME: home, XDG_RUNTIME_DIR: "/run/user/0", LC_ALL: "C" };
  const child = spawn("unshare", ["-m", "--propagation", "private", "/bin/sh", "-c", script], { env, stdio: "ignore" });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const isOver = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

  const run = (argv: readonly [string, ...string[]], own: NodeJS.ProcessEnv = env) =>
    new Promise<Ran>((resolve) => {
      const all = [`--mount=/proc/${child.pid}/ns/mnt`, "--", ...argv];
      execFile("nsenter", all, { env: own, cwd: home, timeout: 60_000 }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === "number" ? error.code : error ? 1 : 0, stdout, stderr });
      });
    });
  const stop = async () => {
    if (!isOver()) {
      await run(["systemctl", "--user", "exit"]);
      const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(late);
    }
    for (const path of groups) {
      for (const inner of ["init.scope", "app.slice", ""]) await rmdir(join(path, inner)).catch(() => undefined);
    }
  };
  for (const end = Date.now() + 10_000; Date.now() < end && !isOver();) {
    if ((await run(["systemctl", "--user", "is-system-running"])).stdout.trim() === "running") return { run, stop };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  return undefined;
}
