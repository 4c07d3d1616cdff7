// Upgrade requests that are refused before they become a WebSocket, and what is not even HTTP.

import type { Duplex } from "node:stream";

import { securityHeaders } from "./reply.ts";

export interface UpgradeRefusal {
  readonly status: "403 Forbidden" | "503 Service Unavailable";
  readonly text: string;
  readonly retryAfterSeconds?: number;
}

/** Answers an upgrade request with plain HTTP and ends the connection. */
export function refuseUpgrade(socket: Duplex, { status, text, retryAfterSeconds }: UpgradeRefusal): void {
  const body = `${text}\n`;
  const head = [
    `HTTP/1.1 ${status}`,
    "content-type: text/plain; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    ...(retryAfterSeconds === undefined ? [] : [`retry-after: ${retryAfterSeconds}`]),
    ...Object.entries(securityHeaders).map(([name, value]) => `${name}: ${value}`),
    "connection: close",
  ];
  // the peer's half stays open otherwise, for as long as the peer likes
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

/** Answers what is not even HTTP. */
export function refuseGarbage(socket: Duplex): void {
  if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n", () => socket.destroy());
  else socket.destroy();
}
