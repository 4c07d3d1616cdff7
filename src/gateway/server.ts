// Everything on the one port: HTTP answers and WebSocket upgrades, with the origin rule in front of both.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { WebSocketServer, type WebSocket } from "ws";

import type { Clock } from "../base/clock.ts";
import { createAdmission } from "./admission.ts";
import { isNameAllowed, isOriginAllowed, renderOriginHelp } from "./auth/origin.ts";
import type { Broadcast, Connection } from "./connection.ts";
import { refuseGarbage, refuseUpgrade, type UpgradeRefusal } from "./http/refusal.ts";
import type { Router } from "./http/router.ts";
import { createPipeline } from "./http/pipeline.ts";
import { judgeShape } from "./http/shape.ts";
import { createStrangers } from "./http/strangers.ts";
import { closeTimeoutMs, maxPayload } from "./limits.ts";
import { peerOf } from "./peer.ts";
import { acceptSocket, type SocketDependencies } from "./ws.ts";

export interface GatewayServer {
  /** Takes the requests of a listening server. */
  attach(server: Server): void;
  connections(): Iterable<Connection>;
  /** Closes the connections of a device that lost its rights, but for the one that the answer still goes to. */
  end(ended: { deviceId: string; role?: string; reason: string }, exceptConnId?: string): void;
  /** Closes the connections that were let in by a secret that is none any more. */
  endShared(reason: string): void;
  /** Tells those who came by these servers that they have to come again, elsewhere perhaps, and closes them with 1012. */
  dismiss(servers: readonly Server[], event: Broadcast): void;
  /** Closes every client with 1012, so that it knows to come back, and lets nobody in any more. */
  closeAll(): void;
}

export interface ServerDependencies extends SocketDependencies {
  readonly allowedOrigins: () => readonly string[];
  readonly trustedProxies: () => readonly string[];
  /** Answers what is no WebSocket. */
  readonly router: Router;
  /** Absent: there is no canvas. */
  readonly canvas?: {
    /** A page without an origin may ask here: its path is what lets it in. */
    isInvited(path: string): boolean;
    /** False: not the canvas's. */
    takeUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  };
}

/** Those who came by one listening server. */
interface Place {
  readonly connections: Set<Connection>;
  /** Strangers among them. */
  readonly sockets: Set<WebSocket>;
  readonly dependencies: SocketDependencies;
}

/** The page behind a request, or the name that it was led here by. */
const pageOf = ({ origin, host = "" }: IncomingMessage["headers"]) => origin ?? `http://${host}`;

const pathOf = ({ url = "/" }: IncomingMessage) => url.split("?", 1)[0] ?? "/";

const stopping: UpgradeRefusal = {
  status: "503 Service Unavailable",
  text: "the Gateway is stopping",
  retryAfterSeconds: 2,
};
const tooMany: UpgradeRefusal = {
  status: "503 Service Unavailable",
  text: "too many connections that have not authenticated",
  retryAfterSeconds: 1,
};

/** Refused origins that are logged; who sends more of them wants to fill the log. */
const maxOriginsTold = 100;

export function createGatewayServer(dependencies: ServerDependencies): GatewayServer {
  const { log, clock } = dependencies;
  const open = new Set<Connection>();
  const admission = createAdmission();
  // a variable, because the published types do not know closeTimeout yet
  const options = { noServer: true, perMessageDeflate: false, maxPayload, closeTimeout: closeTimeoutMs };
  const sockets = new WebSocketServer(options);
  let isClosed = false;

  const places = new Map<Server, Place>();
  const createPlace = (): Place => {
    const connections = new Set<Connection>();
    const forSockets: SocketDependencies = {
      ...dependencies,
      onOpen(connection, client) {
        open.add(connection);
        connections.add(connection);
        dependencies.onOpen(connection, client);
      },
      onClose(connection, client) {
        open.delete(connection);
        connections.delete(connection);
        dependencies.onClose(connection, client);
      },
    };
    return { connections, sockets: new Set(), dependencies: forSockets };
  };
  const isWelcome = createWelcome(dependencies);
  const strangers = createStrangers(clock);
  const pipeline = createPipeline(strangers.slowDown);

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const { router, canvas } = dependencies;
    if (!pipeline.enter(request, response)) return;
    strangers.spoke(request);
    const misshaped = judgeShape(request);
    if (misshaped) router.refuse(request, response, { status: misshaped.status, error: misshaped.message });
    else if (canvas?.isInvited(pathOf(request)) === true || isWelcome(request)) {
      const peer = peerOf(request, dependencies.trustedProxies());
      router.answer(request, response, { peer, admit: () => strangers.admit(request) });
    } else router.refuse(request, response, { status: 403, error: renderOriginHelp(pageOf(request.headers)) });
  };
  const upgrade = (place: Place) => (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", (error) => log.debug("socket error", { error }));
    const misshaped = judgeShape(request);
    if (isClosed || misshaped) {
      refuseUpgrade(socket, misshaped ? { status: misshaped.line, text: misshaped.message } : stopping);
      return;
    }
    if (dependencies.canvas?.takeUpgrade(request, socket, head) === true) {
      strangers.admit(request);
      return;
    }
    if (!isWelcome(request)) {
      refuseUpgrade(socket, { status: "403 Forbidden", text: renderOriginHelp(pageOf(request.headers)) });
      return;
    }
    const peer = peerOf(request, dependencies.trustedProxies());
    const leave = admission.enter(peer.source);
    if (!leave) {
      refuseUpgrade(socket, tooMany);
      return;
    }
    socket.once("close", leave);
    strangers.admit(request);
    sockets.handleUpgrade(request, socket, head, (client) => {
      place.sockets.add(client);
      client.once("close", () => place.sockets.delete(client));
      acceptSocket(client, request, { dependencies: place.dependencies, peer, leave, headBytes: head.length });
    });
  };

  return {
    attach(server) {
      strangers.attach(server);
      server.on("request", answer);
      // the go-ahead for a large body is given by whoever reads it
      server.on("checkContinue", answer);
      const place = createPlace();
      places.set(server, place);
      server.on("upgrade", upgrade(place));
      // a server's sockets are of the net, whatever the type says
      server.on("clientError", (error: NodeJS.ErrnoException, socket) =>
        refuseGarbage(socket as Socket, error.code, clock),
      );
    },
    connections: () => open,
    end({ deviceId, role, reason }, exceptConnId) {
      for (const connection of open) {
        const { caller } = connection;
        if (caller.deviceId !== deviceId || (role !== undefined && caller.role !== role)) continue;
        if (caller.connId !== exceptConnId) connection.close(4001, reason);
      }
    },
    endShared(reason) {
      for (const connection of open) {
        const { auth } = connection.caller;
        if (auth === "token" || auth === "password") connection.close(4001, reason);
      }
    },
    dismiss(servers, event) {
      for (const server of servers) {
        const place = places.get(server);
        places.delete(server);
        place?.connections.forEach((connection) => connection.broadcast(event));
        endSockets([...(place?.sockets ?? [])], clock);
      }
    },
    closeAll() {
      isClosed = true;
      endSockets([...sockets.clients], clock);
    },
  };
}

function endSockets(ending: readonly WebSocket[], clock: Clock): void {
  for (const socket of ending) socket.close(1012, "service restart");
  // what is not closed by then would hold up the listener's own closing
  clock.after(closeTimeoutMs, () => ending.forEach((socket) => socket.terminate()));
}

/** The rule about origins and host names; who is refused is told in the log, once for each page. */
function createWelcome({ allowedOrigins, log }: ServerDependencies): (request: IncomingMessage) => boolean {
  const told = new Set<string>();
  return ({ headers }) => {
    const { host } = headers;
    const allowed = allowedOrigins();
    const isNamed = isNameAllowed(host, headers["user-agent"], allowed);
    if (isNamed && isOriginAllowed(headers.origin, host, allowed)) return true;
    const origin = pageOf(headers);
    // a browser hides the answer from its page: the log is where the owner finds it, once for each page (R30)
    if (!told.has(origin) && told.size < maxOriginsTold) {
      told.add(origin);
      log.warn(renderOriginHelp(origin), { host });
    }
    return false;
  };
}
