// A line of a guide as it stands, typed into a shell: `openclaw` is this checkout, the home folder a temporary one, and ports of
// the guide are replaced by free ones.

import { spawn, type ChildProcess } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

import { moltbot, type CliHome, type Ran } from "./cli-process.ts";
import { freePort, launcher } from "./gateway-process.ts";

export interface CommandLine {
  /** The free port that stands for one of the guide; the same each time. */
  port(ofGuide: number): number;
  /** Runs the line to its end. */
  type(line: string): Promise<Ran>;
  /** Resolves when the Gateway that the line starts listens. @throws Error with its output when it ends before. */
  start(line: string): Promise<Typed>;
  /** Ends what is still running. */
  stop(): Promise<void>;
}

export interface Typed {
  readonly output: () => string;
  /** By Ctrl-C, as in a terminal: the shell and all that it started. Resolves with the exit code. */
  interrupt(): Promise<number | null>;
}

/** Bases of a guide keep their distance: what follows from them is apart, or not, as in the guide. */
export async function createCommandLine(home: CliHome, ports: readonly number[]): Promise<CommandLine> {
  const bin = join(home.folder, "bin");
  await mkdir(bin, { recursive: true });
  for (const [name, program] of [
    ["openclaw", launcher],
    ["moltbot", moltbot],
  ] as const) {
    await writeFile(join(bin, name), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
    await chmod(join(bin, name), 0o755);
  }
  const free = new Map<number, number>();
  for (const port of ports) free.set(port, await freePort());
  const replace = (line: string) => line.replaceAll(/\b\d{5}\b/gu, (text) => String(free.get(Number(text)) ?? text));
  const env = { ...home.env, PATH: [bin, home.env["PATH"] ?? ""].join(delimiter) };
  const running = new Set<ChildProcess>();
  const shell = (line: string) => {
    // as a terminal's shell it outlives Ctrl-C, and ends with the code of what it started
    const child = spawn("/bin/sh", ["-c", `trap : INT; ${replace(line)}`], {
      env,
      cwd: home.folder,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    running.add(child);
    child.once("exit", () => running.delete(child));
    return child;
  };
  const end = (child: ChildProcess, signal: NodeJS.Signals) =>
    new Promise<number | null>((resolve) => {
      if (child.pid === undefined || !running.has(child)) return resolve(child.exitCode);
      child.once("exit", (code) => resolve(code));
      // the group: a shell alone may not hand it on
      process.kill(-child.pid, signal);
    });
  return {
    port: (ofGuide) => free.get(ofGuide) ?? ofGuide,
    type: (line) => collect(shell(line)),
    async start(line) {
      const child = shell(line);
      let printed = "";
      await new Promise<void>((resolve, reject) => {
        const take = (chunk: Buffer) => {
          printed += chunk.toString();
          if (printed.includes("listening on ws://")) resolve();
        };
        child.stdout.on("data", take);
        child.stderr.on("data", take);
        child.once("exit", (code) => reject(new Error(`${replace(line)} ended (${code ?? "signal"}):\n${printed}`)));
      });
      return { output: () => printed, interrupt: () => end(child, "SIGINT") };
    },
    async stop() {
      await Promise.all([...running].map((child) => end(child, "SIGKILL")));
    },
  };
}

function collect(child: ChildProcess): Promise<Ran> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => {
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}
