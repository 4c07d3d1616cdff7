// What a process holds, as Linux tells it: descriptors by kind, threads, memory, and how often it wakes up. Nothing is asked of the
// process itself.

import { readdir, readFile, readlink } from "node:fs/promises";

export interface Figures {
  /** `socket`, `pipe`, `anon_inode:[eventpoll]`, or the name of a file. */
  readonly descriptors: Readonly<Record<string, number>>;
  readonly threads: number;
  readonly residentMb: number;
  /** The part of it that is its own: heap and stacks, without the pages of programs and files, which the system takes back at will. */
  readonly ownMb: number;
}

export async function readFigures(pid: number): Promise<Figures> {
  const names = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => undefined)));
  const descriptors: Record<string, number> = {};
  for (const target of targets) {
    if (target === undefined) continue;
    const kind = target.replace(/^(socket|pipe):.*/u, "$1").replace(/^.*\//u, "");
    descriptors[kind] = (descriptors[kind] ?? 0) + 1;
  }
  const threads = (await readdir(`/proc/${pid}/task`)).length;
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const megabytes = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, "mu").exec(status)?.[1]) / 1024);
  return { descriptors, threads, residentMb: megabytes("VmRSS"), ownMb: megabytes("RssAnon") };
}

/** Times that the main thread has gone to sleep so far: timers that are left over from earlier lives show in it. */
export async function readSleeps(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/task/${pid}/status`, "utf8");
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/mu.exec(status)?.[1]);
}
