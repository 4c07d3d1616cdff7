// `node run` as a child process with a state folder of its own. Stopped by its own process id.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, connect as connectTcp, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";

import { until } from "./conversation.ts";
import { launcher, type GatewayProcess } from "./gateway-process.ts";

export interface NodeProcess {
  readonly state: string;
  /** Everything that it printed, over all its lives. */
  readonly output: () => string;
  readonly isRunning: () => boolean;
  /** Resolves when it has printed `text` in this life. */
  start(args?: readonly string[], text?: string): Promise<void>;
  /** Resolves with the exit code; null: ended by the signal. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface NodeProcessOptions {
  readonly name: string;
  readonly port?: number;
  /** Rules for what may run. */
  readonly approvals?: object;
}

export async function createNodeProcess(gateway: GatewayProcess, options: NodeProcessOptions): Promise<NodeProcess> {
  const state = join(gateway.folder, `node-${options.name}`);
  await mkdir(state, { recursive: true });
  if (options.approvals)
    await writeFile(join(state, "exec-approvals.json"), JSON.stringify({ version: 1, ...options.approvals }));
  const { OPENCLAW_GATEWAY_TOKEN: _token, ...shared } = gateway.env;
  const env = { ...shared, HOME: state, OPENCLAW_STATE_DIR: state, OPENCLAW_LOG_DIR: join(state, "log") };
  const place = ["--host", "127.0.0.1", "--port", String(options.port ?? gateway.port), "--display-name", options.name];
  let child: ChildProcess | undefined;
  let printed = "";
  return {
    state,
    output: () => printed,
    isRunning: () => child !== undefined && child.exitCode === null && child.signalCode === null,
    async start(args = ["--token", gateway.token], text = "connected to ws://") {
      const before = printed.length;
      const made = spawn(process.execPath, [launcher, "node", "run", ...place, ...args], {
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      child = made;
      for (const stream of [made.stdout, made.stderr])
        stream.on("data", (chunk: Buffer) => {
          printed += chunk.toString();
        });
      await until(() => printed.slice(before).includes(text) || made.exitCode !== null, 15_000);
      if (!printed.slice(before).includes(text)) throw new Error(`the node ended:\n${printed.slice(before)}`);
    },
    stop: (signal = "SIGTERM") =>
      new Promise((resolve) => {
        const current = child;
        if (!current || current.exitCode !== null || current.signalCode !== null) {
          resolve(current?.exitCode ?? null);
          return;
        }
        current.once("exit", (code) => resolve(code));
        current.kill(signal);
      }),
  };
}

export interface Proxy {
  readonly port: number;
  stop(): Promise<void>;
}

/** Makes whoever comes through it a remote peer, as a reverse proxy does. */
export async function openProxy(target: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = connectTcp(target, "127.0.0.1");
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    incoming.once("data", (head: Buffer) => {
      outgoing.write(head.toString("latin1").replace("\r\n", "\r\nX-Forwarded-For: 203.0.113.7\r\n"), "latin1");
      incoming.pipe(outgoing);
    });
    outgoing.pipe(incoming);
    incoming.on("close", () => outgoing.destroy());
    outgoing.on("close", () => incoming.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
