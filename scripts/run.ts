// Starts a tool and waits; for the scripts here.

import { spawn } from "node:child_process";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");

const outputGraceMs = 2_000;

export interface Ran {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

/** `isShown`: output goes straight through, too. A tool that takes longer than `timeoutMs` is ended and counts as failed. */
export function run(
  argv: readonly [string, ...string[]],
  options: { env?: NodeJS.ProcessEnv; isShown?: boolean; timeoutMs?: number } = {},
): Promise<Ran> {
  const startedAt = performance.now();
  const [file, ...args] = argv;
  const child = spawn(file, args, {
    cwd: root,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: "SIGKILL" as const }),
  });
  let output = "";
  const take = (target: NodeJS.WriteStream) => (chunk: Buffer) => {
    output += chunk.toString();
    if (options.isShown) target.write(chunk);
  };
  child.stdout.on("data", take(process.stdout));
  child.stderr.on("data", take(process.stderr));
  return new Promise((resolve, reject) => {
    const end = (code: number | null) =>
      resolve({ code: code ?? 1, output, seconds: (performance.now() - startedAt) / 1000 });
    child.once("error", reject);
    child.once("close", end);
    // something it left running may hold its output open
    child.once("exit", (code) => setTimeout(end, outputGraceMs, code).unref());
  });
}

export const bin = (name: string) => join(root, "node_modules", ".bin", name);
