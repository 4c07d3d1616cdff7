// Who listens on a port: which process, whose, on which addresses. From the kernel's own tables on Linux, else from `lsof`.

import { readdir, readlink } from "node:fs/promises";

import { Fault } from "../base/fault.ts";
import type { Env } from "./env.ts";
import { readTextIfExists } from "./files.ts";
import { findLsof } from "./lsof.ts";
import type { RunProcess } from "./process.ts";
import { createProcessTable, type ProcessTable } from "./process-table.ts";

export interface PortListener {
  /** Absent when the system hides whose it is from this user. */
  readonly pid?: number;
  readonly command: string;
  /** `127.0.0.1:18789`, `[::1]:18789`; `0.0.0.0` and `[::]` are all addresses. */
  readonly address: string;
  /** Secrets are masked. */
  readonly commandLine?: string;
  readonly user?: string;
}

export interface PortUsage {
  readonly port: number;
  /** `unknown`: this machine does not tell. */
  readonly status: "free" | "busy" | "unknown";
  readonly listeners: readonly PortListener[];
}

export interface UsageDependencies {
  readonly env: Env;
  readonly run: RunProcess;
  readonly platform: NodeJS.Platform;
}

/** One row for each process and address, those of other users too. Never throws. */
export async function readPortUsage(port: number, dependencies: UsageDependencies): Promise<PortUsage> {
  const table = createProcessTable(dependencies);
  const listeners =
    dependencies.platform === "linux"
      ? ((await fromKernel(port, table)) ?? (await fromLsof(port, table, dependencies)))
      : await fromLsof(port, table, dependencies);
  if (listeners === undefined) return { port, status: "unknown", listeners: [] };
  return { port, status: listeners.length === 0 ? "free" : "busy", listeners };
}

async function fromLsof(
  port: number,
  table: ProcessTable,
  dependencies: UsageDependencies,
): Promise<PortListener[] | undefined> {
  const lsof = await findLsof(dependencies);
  if (!lsof) return undefined;
  try {
    const rows = await lsof(port);
    const facts = await Promise.all(rows.map(({ pid }) => table.describe(pid)));
    return rows.map((row, index) => ({ ...row, ...facts[index] }));
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** undefined where there are no such tables. */
async function fromKernel(port: number, table: ProcessTable): Promise<PortListener[] | undefined> {
  try {
    const first = await readTextIfExists("/proc/net/tcp");
    if (first === undefined) return undefined;
    // a machine without IPv6 has but the first
    const second = (await readTextIfExists("/proc/net/tcp6")) ?? "";
    const sockets = [first, second].flatMap(parseSockets).filter((socket) => socket.port === port);
    return sockets.length === 0 ? [] : await nameHolders(sockets, table);
  } catch {
    // they are closed to us
    return undefined;
  }
}

interface ListeningSocket {
  readonly port: number;
  readonly address: string;
  readonly uid: number;
  readonly inode: string;
}

/** `/proc/net/tcp` and `tcp6`: those that listen. */
export function parseSockets(text: string): ListeningSocket[] {
  return text.split("\n").flatMap((line) => {
    const columns = line.trim().split(/\s+/u);
    const [host, port] = (columns[1] ?? "").split(":");
    const [state, uid, inode] = [columns[3], columns[7], columns[9]];
    if (state !== "0A" || !host || !port || uid === undefined || inode === undefined) return [];
    const number = Number.parseInt(port, 16);
    return [{ port: number, address: `${renderHost(host)}:${number}`, uid: Number(uid), inode }];
  });
}

/** Words of 32 bits, each in the byte order of nearly every machine: the last byte first. */
function renderHost(hex: string): string {
  const bytes = (hex.match(/.{8}/gu) ?? []).flatMap((word) => (word.match(/../gu) ?? []).toReversed());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join(".");
  const groups = bytes.flatMap((byte, index) => (index % 2 === 0 ? [`${byte}${bytes[index + 1] ?? ""}`] : []));
  // a URL's host is written in the shortest form
  return new URL(`http://[${groups.join(":")}]`).hostname;
}

async function nameHolders(sockets: readonly ListeningSocket[], table: ProcessTable): Promise<PortListener[]> {
  const holders = await findHolders(new Set(sockets.map(({ inode }) => `socket:[${inode}]`)));
  const listeners: PortListener[] = [];
  for (const { inode, address, uid } of sockets) {
    const pids = holders.get(`socket:[${inode}]`) ?? [];
    const user = await table.userName(uid);
    if (pids.length === 0) listeners.push({ command: "a process that is hidden from this user", address, user });
    for (const pid of pids) {
      const facts = await table.describe(pid);
      listeners.push({ pid, command: "an unnamed process", address, user, ...facts });
    }
  }
  return listeners;
}

async function findHolders(links: ReadonlySet<string>): Promise<Map<string, number[]>> {
  const holders = new Map<string, number[]>();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/u.test(name))) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const targets = await Promise.all(descriptors.map((it) => readlink(`/proc/${pid}/fd/${it}`).catch(() => "")));
    for (const link of new Set(targets.filter((target) => links.has(target))))
      holders.set(link, [...(holders.get(link) ?? []), Number(pid)]);
  }
  return holders;
}
