// The only place that starts other programs: with an argument list, never through a shell (S35), in a process group of their
// own, so that an end reaches their children too.

import type { ChildProcess } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, extname, isAbsolute, join, resolve } from "node:path";

import type { Clock, Timer } from "../base/clock.ts";
import { isCode } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";

/** Loading it takes longer than most commands that may need it. */
const childProcess = () => process.getBuiltinModule("node:child_process");

export interface ProcessRequest {
  /** Absolute path of the program. */
  readonly program: string;
  /** Its name as it sees it, then its arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  /** All of its environment: nothing else is handed on (S37). */
  readonly env: Readonly<Record<string, string>>;
  /** 0: no limit. */
  readonly timeoutMs: number;
  /** Of each stream; what comes after is read and dropped. */
  readonly maxOutputBytes: number;
  /** Ends it like the time limit does. */
  readonly signal?: AbortSignal;
}

export interface ProcessResult {
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly isTimedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** Some output was dropped. */
  readonly isTruncated: boolean;
}

/** @throws Fault `not_found` when the program or its folder is not there or may not be used. */
export type RunProcess = (request: ProcessRequest) => Promise<ProcessResult>;

/** Time between the polite signal and the one that cannot be refused. */
const killAfterMs = 2_000;
/** A program that ended may have left a child that holds its output open: it is not waited for longer than this. */
const drainMs = 250;

export function createRunProcess(clock: Clock): RunProcess {
  return async (request) => {
    if (request.cwd !== undefined) await checkFolder(request.cwd);
    return perform(request, clock);
  };
}

function perform(request: ProcessRequest, clock: Clock): Promise<ProcessResult> {
  const [name, ...args] = request.argv;
  const isGroup = process.platform !== "win32";
  const child = childProcess().spawn(request.program, args, {
    argv0: name,
    env: request.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: isGroup,
    windowsHide: true,
    shell: false,
    ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
  });
  const stdout = collect(child.stdout, request.maxOutputBytes);
  const stderr = collect(child.stderr, request.maxOutputBytes);

  return new Promise((settle, reject) => {
    let isTimedOut = false;
    const timers: Timer[] = [];
    const end = () => {
      signalGroup(child, "SIGTERM", isGroup);
      timers.push(clock.after(killAfterMs, () => signalGroup(child, "SIGKILL", isGroup)));
    };
    const clear = () => {
      for (const timer of timers) timer.cancel();
      request.signal?.removeEventListener("abort", end);
    };
    if (request.timeoutMs > 0)
      timers.push(
        clock.after(request.timeoutMs, () => {
          isTimedOut = true;
          end();
        }),
      );
    if (request.signal?.aborted) end();
    request.signal?.addEventListener("abort", end, { once: true });

    child.once("error", (error) => {
      clear();
      reject(new Fault("not_found", `cannot start ${request.program}: ${error.message}`, { cause: error }));
    });
    let isFinished = false;
    const finish = () => {
      if (isFinished) return;
      isFinished = true;
      clear();
      // what was ended takes its children along; what ended by itself may have meant to leave some
      if (isTimedOut || request.signal?.aborted) signalGroup(child, "SIGKILL", isGroup);
      child.stdout.destroy();
      child.stderr.destroy();
      settle({
        exitCode: child.exitCode,
        signal: child.signalCode,
        isTimedOut,
        stdout: stdout.text(),
        stderr: stderr.text(),
        isTruncated: stdout.isTruncated() || stderr.isTruncated(),
      });
    };
    child.once("exit", () => timers.push(clock.after(drainMs, finish)));
    child.once("close", finish);
  });
}

/** The whole group; a group that is gone already is fine. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals, isGroup: boolean): void {
  if (child.pid === undefined) return;
  if (!isGroup) {
    child.kill(signal);
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // EPERM: macOS says so of a group that consists of zombies
    if (!isCode(error, "ESRCH", "EPERM")) throw error;
  }
}

function collect(stream: NodeJS.ReadableStream, maxBytes: number) {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let isTruncated = false;
  stream.on("data", (chunk: Buffer) => {
    const kept = chunk.subarray(0, maxBytes - bytes);
    isTruncated ||= kept.length < chunk.length;
    if (kept.length === 0) return;
    bytes += kept.length;
    chunks.push(kept);
  });
  return { text: () => Buffer.concat(chunks).toString("utf8"), isTruncated: () => isTruncated };
}

async function checkFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (isAbsolute(path) && found?.isDirectory()) return;
  throw new Fault("not_found", `not a folder: ${path}`, { field: "cwd", next: "name an absolute path of a folder" });
}

export interface ProgramSearch {
  /** Search path of the platform's form. */
  readonly path: string;
  /** Where relative names with a slash are looked for. */
  readonly cwd: string;
  /** Windows: endings of programs, such as `.EXE;.CMD`. */
  readonly endings?: string;
}

/** Where a program is: by its path, or found on the search path. @returns undefined when there is none. */
export async function findProgram(
  name: string,
  { path, cwd, endings = "" }: ProgramSearch,
): Promise<string | undefined> {
  if (name === "" || name.includes("\0")) return undefined;
  const isPath = name.includes("/") || (process.platform === "win32" && name.includes("\\"));
  // an empty or relative entry would be the folder that a stranger may have filled
  const folders = isPath ? [cwd] : path.split(delimiter).filter((folder) => isAbsolute(folder));
  for (const folder of folders) {
    for (const ending of endingsOf(name, endings)) {
      const candidate = isPath ? resolve(folder, `${name}${ending}`) : join(folder, `${name}${ending}`);
      if (await isProgram(candidate)) return candidate;
    }
  }
  return undefined;
}

function endingsOf(name: string, endings: string): readonly string[] {
  if (process.platform !== "win32" || extname(name) !== "") return [""];
  return endings.split(";").filter((ending) => ending !== "");
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    // not there, not ours to run, no such folder: all of them mean no
    return false;
  }
}
