// Starts a tool and waits; for the scripts here.

import { spawn } from "node:child_process";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");

export interface Ran {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

/** `isShown`: output goes straight through; otherwise it is kept. */
export function run(
  argv: readonly [string, ...string[]],
  options: { env?: NodeJS.ProcessEnv; isShown?: boolean } = {},
): Promise<Ran> {
  const startedAt = performance.now();
  const [file, ...args] = argv;
  const child = spawn(file, args, { cwd: root, env: options.env ?? process.env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const take = (target: NodeJS.WriteStream) => (chunk: Buffer) => {
    output += chunk.toString();
    if (options.isShown) target.write(chunk);
  };
  child.stdout.on("data", take(process.stdout));
  child.stderr.on("data", take(process.stderr));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve({ code: code ?? (signal ? 1 : 0), output, seconds: (performance.now() - startedAt) / 1000 }),
    );
  });
}

export const bin = (name: string) => join(root, "node_modules", ".bin", name);
