// `lsof`, the program that knows who listens on a port: where it is, and what it says.

import { Fault } from "../base/fault.ts";
import type { Env } from "./env.ts";
import { findProgram, type RunProcess } from "./process.ts";

export interface LsofRow {
  readonly pid: number;
  readonly command: string;
  /** `127.0.0.1:18789`, `[::1]:18789` or `*:18789`; empty unless asked for. */
  readonly address: string;
}

/** One row for each process and address that listens on the TCP port, of IPv4 and IPv6. */
export type Lsof = (port: number) => Promise<LsofRow[]>;

/** Where systems keep it; the search path of a service has not always these. */
const usualPlaces = ["/usr/sbin/lsof", "/usr/bin/lsof"];
const timeoutMs = 5_000;

/** @returns undefined when this machine has none. */
export async function findLsof({ env, run }: { env: Env; run: RunProcess }): Promise<Lsof | undefined> {
  const program = await findFirst(env);
  if (program === undefined) return undefined;
  return async (port) => {
    const result = await run({
      program,
      argv: ["lsof", "-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-FpFcn"],
      env: { LC_ALL: "C", PATH: env.raw("PATH") ?? "/usr/bin:/bin" },
      timeoutMs,
      maxOutputBytes: 1_000_000,
    });
    const rows = parseLsof(result.stdout);
    // 1 means that there is none, and also that something was amiss: what it says tells them apart
    const isRefused = rows.length === 0 && /permission denied|not permitted/iu.test(result.stderr);
    if (result.isTimedOut || isRefused || (result.exitCode !== 0 && result.exitCode !== 1))
      throw new Fault("not_found", `lsof cannot say who listens on port ${port}: ${describe(result)}`, {
        next: `run it yourself: lsof -nP -iTCP:${port} -sTCP:LISTEN`,
      });
    return rows;
  };
}

function describe({ isTimedOut, stderr, exitCode }: Awaited<ReturnType<RunProcess>>): string {
  if (isTimedOut) return `no answer within ${timeoutMs / 1000} s`;
  return stderr.trim().split("\n")[0] || `it ended with ${exitCode ?? "a signal"}`;
}

async function findFirst(env: Env): Promise<string | undefined> {
  const path = env.raw("PATH") ?? "";
  for (const name of [...usualPlaces, "lsof"]) {
    const program = await findProgram(name, { path, cwd: "/", endings: env.raw("PATHEXT") ?? ".EXE" });
    if (program !== undefined) return program;
  }
  return undefined;
}

/** Lines of one field each: `p` begins a process, `c` is its name, `f` a descriptor of it, `n` that one's address. */
export function parseLsof(text: string): LsofRow[] {
  const rows: LsofRow[] = [];
  let pid = 0;
  let command = "";
  let isNamed = true;
  const close = () => {
    if (!isNamed && pid > 0) rows.push({ pid, command, address: "" });
  };
  for (const line of text.split("\n")) {
    const value = line.slice(1);
    if (line.startsWith("p")) {
      close();
      pid = /^\d+$/u.test(value) ? Number(value) : 0;
      command = "";
      isNamed = false;
    } else if (line.startsWith("c")) command = value;
    else if (line.startsWith("n") && pid > 0) {
      rows.push({ pid, command, address: value });
      isNamed = true;
    }
  }
  close();
  return rows;
}
