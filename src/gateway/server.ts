// Everything on the one port: HTTP answers and WebSocket upgrades, with the origin rule in front of both.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import { WebSocketServer } from "ws";

import { createAdmission } from "./admission.ts";
import { isOriginAllowed } from "./auth/origin.ts";
import type { Connection } from "./connection.ts";
import { maxPayload } from "./limits.ts";
import { acceptSocket, type SocketDependencies } from "./ws.ts";

export interface GatewayServer {
  /** Takes the requests of a listening server. */
  attach(server: Server): void;
  connections(): Iterable<Connection>;
  /** Closes every client with 1012; they know then to come back. */
  closeAll(): void;
}

export interface ServerDependencies extends Omit<SocketDependencies, "onOpen" | "onClose"> {
  readonly allowedOrigins: () => readonly string[];
  readonly onOpen: SocketDependencies["onOpen"];
  readonly onClose: SocketDependencies["onClose"];
}

export function createGatewayServer(dependencies: ServerDependencies): GatewayServer {
  const { log } = dependencies;
  const open = new Set<Connection>();
  const admission = createAdmission();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload, clientTracking: true });

  const socketDependencies: SocketDependencies = {
    ...dependencies,
    onOpen(connection, client) {
      open.add(connection);
      dependencies.onOpen(connection, client);
    },
    onClose(connection, client) {
      open.delete(connection);
      dependencies.onClose(connection, client);
    },
  };
  const isWelcome = (request: IncomingMessage) =>
    isOriginAllowed(request.headers.origin, request.headers.host, dependencies.allowedOrigins());

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", (error) => log.debug("socket error during upgrade", { error }));
    if (!isWelcome(request)) {
      refuseUpgrade(socket, "403 Forbidden", originHelp(request));
      return;
    }
    const leave = admission.enter(request.socket.remoteAddress ?? "");
    if (!leave) {
      refuseUpgrade(socket, "503 Service Unavailable", "too many connections that have not authenticated");
      return;
    }
    socket.once("close", leave);
    sockets.handleUpgrade(request, socket, head, (client) =>
      acceptSocket(client, request, { dependencies: socketDependencies, leave }),
    );
  };

  return {
    attach(server) {
      server.on("request", (request, response) => answer(request, response, isWelcome(request)));
      server.on("upgrade", upgrade);
      server.on("clientError", (_error, socket) => {
        if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
      });
    },
    connections: () => open,
    closeAll() {
      for (const socket of sockets.clients)
        if (socket.readyState === socket.OPEN) socket.close(1012, "service restart");
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, isWelcome: boolean): void {
  request.resume();
  const path = (request.url ?? "/").split("?")[0];
  if (!isWelcome) sendJson(response, 403, { ok: false, error: originHelp(request) });
  else if (path === "/healthz" && request.method === "GET") sendJson(response, 200, { ok: true });
  else sendJson(response, 404, { ok: false, error: "not found" });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  });
  response.end(`${JSON.stringify(body)}\n`);
}

function refuseUpgrade(socket: Duplex, status: string, text: string): void {
  const body = `${text}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function originHelp(request: IncomingMessage): string {
  // echoed into a plain-text answer only, bounded
  const origin = String(request.headers.origin).slice(0, 200);
  return `origin not allowed; to allow it add to the config: gateway.controlUi.allowedOrigins: ["${origin}"]`;
}
