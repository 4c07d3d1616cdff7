// Programs that hold a port, as their own processes, for tests of who has it and who takes it.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

export interface HeldPort {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  /** Resolves once it has ended: the signal, or null. */
  readonly ended: Promise<NodeJS.Signals | null>;
  stop(): Promise<void>;
}

export interface HolderOptions {
  readonly host?: string;
  readonly port?: number;
  /** SIGTERM does nothing to it. */
  readonly isDeaf?: boolean;
  /** It takes the port as soon as that is free, as what a supervisor starts again does. */
  readonly isWaiting?: boolean;
}

const server = `
const [host, port, isDeaf] = process.argv.slice(1);
if (isDeaf === "true") process.on("SIGTERM", () => {});
require("node:net").createServer().listen(Number(port), host, function () { console.log(this.address().port); });`;

const waiter = `
const [host, port] = process.argv.slice(1);
const attempt = () => require("node:net").createServer().on("error", () => setTimeout(attempt, 2)).listen(Number(port), host);
attempt();
console.log(port);`;

export async function holdPort(options: HolderOptions = {}): Promise<HeldPort> {
  const { host = "127.0.0.1", port = 0, isDeaf = false, isWaiting = false } = options;
  const script = isWaiting ? waiter : server;
  const child = spawn(process.execPath, ["-e", script, host, String(port), String(isDeaf)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once("exit", (_code, signal) => resolve(signal));
  });
  const [chunk] = (await once(child.stdout, "data")) as [Buffer];
  return {
    child,
    pid: child.pid ?? 0,
    port: Number(chunk.toString().trim()),
    ended,
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
