// Commands as their own processes in a home of their own: nothing of the machine's user is read or written.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { launcher } from "./gateway-process.ts";

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliHome {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  run(args: readonly string[], options?: CliOptions): Promise<Ran>;
  dispose(): Promise<void>;
}

export interface CliOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  /** `moltbot.mjs` instead of `openclaw.mjs`. */
  readonly program?: string;
}

export const moltbot = join(launcher, "..", "moltbot.mjs");

export async function createCliHome(): Promise<CliHome> {
  const folder = await mkdtemp(join(tmpdir(), "home-"));
  const env: NodeJS.ProcessEnv = {
    PATH: process.env["PATH"],
    HOME: folder,
    USERPROFILE: folder,
    NO_COLOR: "1",
    OPENCLAW_LOG_DIR: join(folder, "log"),
  };
  return {
    folder,
    env,
    run: (args, options = {}) => runIn(args, { ...options, env: { ...env, ...options.env }, cwd: folder }),
    dispose: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

function runIn(args: readonly string[], { env, cwd, stdin, program = launcher }: CliOptions & { cwd: string }) {
  const child = spawn(process.execPath, [program, ...args], { env, cwd, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  // a command that reads nothing may be gone already
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin ?? "");
  return new Promise<Ran>((resolve) => {
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}
