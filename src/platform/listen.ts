import { http } from "./node-http.ts";
// The only place that listens.

import type { Server } from "node:http";
import type { Socket } from "node:net";

import { systemClock, type Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";

export interface Listener {
  /** Both loopback addresses are one listener to their user. */
  readonly servers: readonly Server[];
  readonly port: number;
  /** `attach` adds its listeners to each server; requests that came before that are answered then. */
  serve(attach: (server: Server) => void): void;
  /** For connections from now on; those that there are keep theirs. Only where it listens with one already. */
  renew(certificate: Certificate): void;
  /** Gives the address free; the connections that there are stay until `close`. */
  leave(): void;
  /** After `leave`, on the same address. @throws Fault as `openListener` does. */
  comeBack(): Promise<void>;
  /** Ends every connection; those that became WebSockets have two seconds to part by themselves. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly log: Log;
  /** Absent: the system's. */
  readonly clock?: Clock;
  /** HTTPS, with this certificate; absent: HTTP. */
  readonly tls?: Certificate | undefined;
}

/** PEM */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
}

/** For sockets that were upgraded: longer than their own closing takes. */
const closeGraceMs = 2_000;

/** Sockets at once, before the WebSocket layer counts for itself. */
const maxConnections = 4_096;

/** @throws Fault `port_busy` when another process listens there, `unreachable` when nobody can. */
export async function openListener(options: ListenOptions): Promise<Listener> {
  const { log } = options;
  const first = await listen(options.host, options.port, options);
  const { port } = first;
  const opened = [first];
  if (options.host === "127.0.0.1") {
    try {
      opened.push(await listen("::1", port, options));
    } catch (error) {
      // no IPv6 on this machine: 127.0.0.1 is enough. A stranger there would be taken for us by who says "localhost".
      const isTaken = error instanceof Fault && error.code === "port_busy";
      log[isTaken ? "warn" : "debug"](`not listening on ::1 port ${port}`, { error });
    }
  }
  return {
    servers: opened.map(({ server }) => server),
    port,
    serve(attach) {
      for (const { server, letIn } of opened) {
        attach(server);
        letIn();
      }
    },
    renew(certificate) {
      for (const one of opened) one.renew(certificate);
    },
    leave() {
      for (const { server } of opened) server.close();
    },
    async comeBack() {
      for (const one of opened) await one.listen();
    },
    async close() {
      await Promise.all(opened.map((one) => one.close()));
    },
  };
}

interface Listening {
  readonly server: Server;
  readonly port: number;
  /** Gives those that came early to the listeners that there are now. */
  letIn(): void;
  renew(certificate: Certificate): void;
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** Without any listener Node would leave a request, and an upgrade, without an answer for ever. */
function keepEarly(server: Server): () => void {
  const waiting: (() => void)[] = [];
  const keepRequest = (...request: unknown[]) => void waiting.push(() => server.emit("request", ...request));
  const keepUpgrade = (request: unknown, socket: Socket, head: unknown) => {
    // who goes away while waiting is no error of ours
    socket.on("error", () => undefined);
    waiting.push(() => server.emit("upgrade", request, socket, head));
  };
  server.on("request", keepRequest);
  server.on("upgrade", keepUpgrade);
  return () => {
    server.off("request", keepRequest);
    server.off("upgrade", keepUpgrade);
    for (const give of waiting.splice(0)) give();
  };
}

const serverOptions = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 10_000,
  // the two limits above are looked at this often
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16_384,
};
/** For who connects and then says nothing; Node's own is two minutes. */
const tlsOptions = { minVersion: "TLSv1.2", handshakeTimeout: 10_000 } as const;

const toContext = ({ cert, key, ca }: Certificate) => ({
  ...tlsOptions,
  cert,
  key,
  ...(ca === undefined ? {} : { ca }),
});

interface Bare {
  readonly server: Server;
  readonly renew: (certificate: Certificate) => void;
}

function createServer(tls: Certificate | undefined): Bare {
  if (!tls) return { server: http.createServer(serverOptions), renew: () => undefined };
  // not imported: most Gateways do without
  const server = process.getBuiltinModule("node:https").createServer({ ...serverOptions, ...toContext(tls) });
  // all that is used here is what both kinds have; their types do not know of each other
  return {
    server: server as unknown as Server,
    renew: (certificate) => server.setSecureContext(toContext(certificate)),
  };
}

async function listen(host: string, port: number, options: ListenOptions): Promise<Listening> {
  const { log, clock = systemClock } = options;
  const { server, renew } = createServer(options.tls);
  server.maxConnections = maxConnections;
  // Node's own limit leaves out what is beyond it without a word: that could be a proxy's mark. Whoever answers refuses long lists.
  server.maxHeadersCount = 0;
  const letIn = keepEarly(server);
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await begin(server, host, port);
  // a connection that could not be accepted (no descriptors left) ends neither the server nor the process
  server.on("error", (error) => log.warn("a connection could not be accepted", { error }));
  const address = server.address();
  const chosen = typeof address === "object" && address !== null ? address.port : port;
  return {
    server,
    letIn,
    renew,
    port: chosen,
    listen: () => begin(server, host, chosen),
    close: () =>
      new Promise((resolve) => {
        // the server waits for connections that were upgraded, yet does not count them as its own
        const grace = clock.after(closeGraceMs, () => {
          for (const socket of sockets) socket.destroy();
        });
        server.close(() => {
          grace.cancel();
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function begin(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.removeListener("error", reject);
        resolve();
      });
    });
  } catch (error) {
    // what listen rejects with is always one
    throw refuse(error as NodeJS.ErrnoException, host, port);
  }
}

function refuse(error: NodeJS.ErrnoException, host: string, port: number): Fault {
  if (error.code === "EADDRINUSE")
    return new Fault("port_busy", `port ${port} is in use`, {
      cause: error,
      next: "stop the process that listens there, or start with another --port",
    });
  return new Fault("unreachable", `cannot listen on ${host}:${port}: ${error.message}`, {
    cause: error,
    next: "choose another --bind or --port",
  });
}
