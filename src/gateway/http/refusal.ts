// Upgrade requests that are refused before they become a WebSocket, and what is not even HTTP.

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import type { Clock } from "../../base/clock.ts";
import { securityHeaders } from "./reply.ts";
import type { ShapeRefusal } from "./shape.ts";

export interface UpgradeRefusal {
  readonly status: "403 Forbidden" | "503 Service Unavailable" | ShapeRefusal["line"];
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

/** Of what Node tells about a connection that never became a request. */
const statusLines: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Content Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** What still comes behind garbage is read for so long, so that its sender gets to the answer. */
const lingerMs = 1_000;
const lingerBytes = 1024 * 1024;

/**
 * Answers what is not even HTTP, or too much or too slow to become a request; `code` is what Node calls it. Who has said nothing is told
 * nothing: a browser keeps connections in reserve, and would take the refusal for the answer to what it asks later.
 */
export function refuseGarbage(socket: Socket, code: string | undefined, clock: Clock): void {
  // more of what was refused a moment ago
  if (socket.writableEnded && socket.bytesRead < lingerBytes) return;
  if (!socket.writable || socket.bytesRead === 0) {
    socket.destroy();
    return;
  }
  const timer = clock.after(lingerMs, () => socket.destroy());
  socket.once("close", () => timer.cancel());
  socket.once("end", () => socket.destroy());
  // whoever was answered before, as in the middle of a body, must not take this for more of that answer
  if (socket.bytesWritten > 0) socket.end();
  else socket.end(`HTTP/1.1 ${statusLines[code ?? ""] ?? "400 Bad Request"}\r\nconnection: close\r\n\r\n`);
}
