// What the system tells of a process by its id: does it live, is it still the same one, what is it and whose. From /proc where
// there is one, else from `ps`.

import { readFile, stat } from "node:fs/promises";
import { userInfo } from "node:os";

import { isCode } from "../base/error-code.ts";
import { readTextIfExists } from "./files.ts";
import type { RunProcess } from "./process.ts";
import { redactText } from "./redact.ts";

export interface ProcessFacts {
  readonly pid: number;
  /** Its short name, as `top` shows it. */
  readonly command: string;
  /** With its arguments; secrets are masked. */
  readonly commandLine?: string;
  readonly user?: string;
}

export interface ProcessTable {
  /** A zombie does not live: it has closed everything and waits for its parent to look. */
  isAlive(pid: number): Promise<boolean>;
  /** Differs between two processes that had the same id, on one machine. undefined when there is none, or nothing is known. */
  stampOf(pid: number): Promise<string | undefined>;
  /** undefined when there is no such process. */
  describe(pid: number): Promise<ProcessFacts | undefined>;
  userName(uid: number): Promise<string>;
}

/** Just what is asked of the system. */
export interface TableDependencies {
  readonly run: RunProcess;
  readonly platform: NodeJS.Platform;
}

export function createProcessTable({ run, platform }: TableDependencies): ProcessTable {
  const userName = async (uid: number) => {
    const own = userInfo();
    if (own.uid === uid) return own.username;
    const line = ((await readTextIfExists("/etc/passwd")) ?? "")
      .split("\n")
      .find((row) => row.split(":")[2] === `${uid}`);
    return line?.split(":")[0] ?? `uid ${uid}`;
  };
  const table = platform === "linux" ? fromProc(userName) : fromPs(run);
  return {
    ...table,
    userName,
    async isAlive(pid) {
      if (!answers(pid)) return false;
      return (await table.isZombie(pid)) !== true;
    },
  };
}

/** Signal 0 asks only. Without the right to signal it there still is one. */
function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, "EPERM");
  }
}

interface Source extends Pick<ProcessTable, "stampOf" | "describe"> {
  /** undefined when the system does not say. */
  isZombie(pid: number): Promise<boolean | undefined>;
}

/** Of a process that is gone, or that the system hides, nothing is known. */
const readProc = (path: string) => readFile(path, "utf8").catch(() => undefined);

function fromProc(userName: ProcessTable["userName"]): Source {
  const status = async (pid: number) => parseStat((await readProc(`/proc/${pid}/stat`)) ?? "");
  return {
    isZombie: async (pid) => (await status(pid))?.isZombie,
    async stampOf(pid) {
      const found = await status(pid);
      if (!found) return undefined;
      // ticks since the machine started: the boot belongs to them
      const boot = (await readProc("/proc/sys/kernel/random/boot_id"))?.trim() ?? "";
      return `${boot}/${found.startTicks}`;
    },
    async describe(pid) {
      const [found, line, folder] = await Promise.all([
        status(pid),
        readProc(`/proc/${pid}/cmdline`),
        stat(`/proc/${pid}`).catch(() => undefined),
      ]);
      if (!found) return undefined;
      const commandLine = redactText((line ?? "").split("\0").filter(Boolean).join(" "));
      return {
        pid,
        command: found.command,
        ...(commandLine === "" ? {} : { commandLine }),
        ...(folder === undefined ? {} : { user: await userName(folder.uid) }),
      };
    },
  };
}

export interface ProcStat {
  readonly command: string;
  readonly isZombie: boolean;
  readonly startTicks: string;
}

/** `/proc/<pid>/stat`; the name in it may hold blanks and parentheses. */
export function parseStat(text: string): ProcStat | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  const [state, ...rest] = text.slice(close + 2).split(" ");
  // field 22 of all; the state is the third
  const startTicks = rest[18];
  if (open === -1 || close < open || state === undefined || startTicks === undefined) return undefined;
  return { command: text.slice(open + 1, close), isZombie: /^[ZXx]$/u.test(state), startTicks };
}

const psRow = /^\s*(?<state>\S+)\s+(?<user>\S+)\s+(?<start>\w{3}\s+\w{3}\s+\d+\s+[\d:]{8}\s+\d{4})\s+(?<line>.*)$/u;

function fromPs(run: RunProcess): Source {
  const read = async (pid: number) => {
    const result = await run({
      program: "/bin/ps",
      argv: ["ps", "-ww", "-p", String(pid), "-o", "stat=", "-o", "user=", "-o", "lstart=", "-o", "command="],
      env: { LC_ALL: "C", PATH: "/usr/bin:/bin", TZ: "UTC" },
      timeoutMs: 5_000,
      maxOutputBytes: 100_000,
    }).catch(() => undefined);
    return psRow.exec(result?.stdout.split("\n")[0] ?? "")?.groups;
  };
  return {
    isZombie: async (pid) => (await read(pid))?.["state"]?.startsWith("Z"),
    stampOf: async (pid) => (await read(pid))?.["start"]?.replaceAll(/\s+/gu, " "),
    async describe(pid) {
      const row = await read(pid);
      if (!row) return undefined;
      const commandLine = redactText(row["line"] ?? "");
      const command = (commandLine.split(" ")[0] ?? "").split("/").at(-1) ?? "";
      return { pid, command, commandLine, user: row["user"] ?? "" };
    },
  };
}
