// Starts what is measured, as a user's shell would, in a temporary home, and ends it by its own process id.

import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
export const launcher = join(root, "bin", "openclaw.mjs");
export const token = "bench-token";

export interface Program {
  readonly url: string;
  readonly pid: number;
  /** Milliseconds from the start of the process to its first line with an address. */
  readonly listenMs: number;
  stop(): Promise<void>;
}

/** An environment in which nothing of the person who runs the benchmark shows. */
export function cleanEnv(home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: home,
    TMPDIR: home,
    NO_COLOR: "1",
    OPENCLAW_STATE_DIR: join(home, "state"),
    OPENCLAW_LOG_DIR: join(home, "log"),
    NODE_COMPILE_CACHE: join(home, "compile-cache"),
  };
}

export function startGateway(env: NodeJS.ProcessEnv): Promise<Program> {
  return start([launcher, "gateway", "--port", "0", "--token", token, "--allow-unconfigured"], env);
}

/** `presence`: the list that it sends to all. */
export function startFloor(env: NodeJS.ProcessEnv, payload: unknown, presence: unknown = [{}]): Promise<Program> {
  return start([join(import.meta.dirname, "floor.mjs"), JSON.stringify(payload), JSON.stringify(presence)], env);
}

/** What plays the model; its address as `ws:`, like the others'. */
export function startModel(env: NodeJS.ProcessEnv): Promise<Program> {
  return start([join(import.meta.dirname, "model.mjs")], env);
}

function start(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Program> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  return new Promise((resolve, reject) => {
    const take = (chunk: Buffer) => {
      printed += chunk.toString();
      const url = /listening on (ws:\/\/[\d.]+:\d+)/u.exec(printed)?.[1];
      if (url === undefined) return;
      const listenMs = performance.now() - startedAt;
      child.removeListener("exit", fail);
      resolve({ url, pid: child.pid ?? 0, listenMs, stop: () => stop(child) });
    };
    const fail = () => reject(new Error(`${args.join(" ")} ended:\n${printed}`));
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("exit", fail);
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => {
    child.once("exit", resolve);
  });
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(timer);
}

/** Wall time of a program from start to end. @throws when it fails, for a failing command measures nothing. */
export async function wallMs(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const code = await new Promise((resolve) => {
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${String(code)}: ${errors}`);
  return performance.now() - startedAt;
}

/** Resident memory as Linux counts it; undefined elsewhere. */
export function residentMb(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const kb = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return kb === undefined ? undefined : Number(kb) / 1024;
}
