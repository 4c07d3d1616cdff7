// The only place that listens. A busy port names who holds it.

import { readFile, readdir, readlink } from "node:fs/promises";
import { createServer, type Server } from "node:http";

import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";

export interface Listener {
  /** Both loopback addresses are one listener to their user. */
  readonly servers: readonly Server[];
  readonly port: number;
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly log: Log;
}

/** Sockets at once, before the WebSocket layer counts for itself. */
const maxConnections = 4_096;

/** @throws Fault `port_busy` naming the owner where the system tells. */
export async function openListener(options: ListenOptions): Promise<Listener> {
  const first = await listen(options.host, options.port);
  const { port } = first;
  const servers = [first.server];
  if (options.host === "127.0.0.1") {
    try {
      servers.push((await listen("::1", port)).server);
    } catch (error) {
      // no IPv6 on this machine, or somebody else's port there: 127.0.0.1 is enough
      options.log.debug("not listening on ::1", { error });
    }
  }
  return {
    servers,
    port,
    async close() {
      await Promise.all(
        servers.map(
          (server) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve());
              server.closeAllConnections();
            }),
        ),
      );
    },
  };
}

function listen(host: string, port: number): Promise<{ server: Server; port: number }> {
  const server = createServer({
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 10_000,
    maxHeaderSize: 16_384,
  });
  server.maxConnections = maxConnections;
  const listening = new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
  return listening.then(
    (actual) => ({ server, port: actual }),
    async (error: NodeJS.ErrnoException) => {
      throw await refuse(error, host, port);
    },
  );
}

async function refuse(error: NodeJS.ErrnoException, host: string, port: number): Promise<Fault> {
  if (error.code !== "EADDRINUSE") {
    return new Fault("unreachable", `cannot listen on ${host}:${port}: ${error.message}`, {
      cause: error,
      next: "choose another --bind or --port",
    });
  }
  const owner = await findPortOwner(port);
  return new Fault("port_busy", `port ${port} is in use${owner ? ` by ${owner.command} (pid ${owner.pid})` : ""}`, {
    cause: error,
    next: "stop that process, or start with another --port",
  });
}

/** Linux only: the process that listens on the port; undefined where it cannot be told. */
export async function findPortOwner(port: number): Promise<{ pid: number; command: string } | undefined> {
  try {
    const inodes = new Set<string>();
    const hex = port.toString(16).toUpperCase().padStart(4, "0");
    for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
      for (const line of (await readFile(table, "utf8")).split("\n")) {
        const columns = line.trim().split(/\s+/u);
        if (columns[3] === "0A" && columns[1]?.endsWith(`:${hex}`) && columns[9]) inodes.add(`socket:[${columns[9]}]`);
      }
    }
    return inodes.size === 0 ? undefined : await findHolder(inodes);
  } catch {
    // no /proc, or it is closed to us: the owner stays unnamed
    return undefined;
  }
}

async function findHolder(inodes: ReadonlySet<string>): Promise<{ pid: number; command: string } | undefined> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/u.test(name))) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
      if (!inodes.has(target)) continue;
      const command = (await readFile(`/proc/${pid}/cmdline`, "utf8"))
        .split("\0")
        .filter(Boolean)
        .slice(0, 3)
        .join(" ");
      return { pid: Number(pid), command: command || "an unnamed process" };
    }
  }
  return undefined;
}
