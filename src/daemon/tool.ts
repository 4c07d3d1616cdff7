// The programs that manage services: found on the path, run with arguments alone, in plain English, with a time limit.

import { homedir, userInfo } from "node:os";

import { Fault } from "../base/fault.ts";
import type { Env } from "../platform/env.ts";
import { findProgram, type ProcessResult, type RunProcess } from "../platform/process.ts";

/** @throws Fault `not_found` when the program is not on this machine. */
export type Tool = (...args: string[]) => Promise<ProcessResult>;

export interface ToolOptions {
  readonly env: Env;
  readonly run: RunProcess;
  /** Where nothing is known of the user's bus, its usual place. */
  readonly runtimeFolder?: string | undefined;
}

/** A unit may take half a minute to stop. */
const actMs = 90_000;

/** Somebody waits for what it says, and nothing has to end for it. */
const lookMs = 15_000;
const looks = /^(?:show|show-user|print|getenv|\/Query)$/u;

export function createTool(name: string, { env, run, runtimeFolder }: ToolOptions): Tool {
  const inherited = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
    "SystemRoot",
    "PATHEXT",
  ];
  return async (...args) => {
    const program = await findProgram(name, {
      path: env.raw("PATH") ?? "",
      cwd: homedir(),
      endings: env.raw("PATHEXT") ?? ".EXE;.CMD",
    });
    if (program === undefined)
      throw new Fault("not_found", `${name} is not on this machine`, {
        next: "run the Gateway in the foreground, or under a supervisor of your own",
      });
    const variables = inherited.flatMap((key) => {
      const value = env.raw(key);
      return value === undefined ? [] : [[key, value] as const];
    });
    const timeoutMs = args.some((word) => looks.test(word)) || name === "journalctl" ? lookMs : actMs;
    const folder = runtimeFolder === undefined ? [] : [["XDG_RUNTIME_DIR", runtimeFolder] as const];
    const result = await run({
      program,
      argv: [name, ...args],
      env: Object.fromEntries([...folder, ...variables, ["LC_ALL", "C"]]),
      timeoutMs,
      maxOutputBytes: 200_000,
    });
    if (result.isTimedOut)
      throw new Fault("timeout", `${name} ${args.join(" ")} did not answer within ${timeoutMs / 1000} s`, {
        next: "try again; if it stays so, look at the system's own log",
      });
    return result;
  };
}

/** All that it said. */
export const said = ({ stdout, stderr }: ProcessResult) => `${stderr.trim()}\n${stdout.trim()}`.trim();

/** Whose service it is. */
export function currentUser(): { readonly name: string; readonly uid: number } {
  const { username, uid } = userInfo();
  return { name: username, uid };
}
