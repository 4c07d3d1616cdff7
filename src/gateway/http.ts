// What plain HTTP requests on the one port are answered, and requests that are refused before they become a WebSocket.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

const securityHeaders = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

/** Both names of the one page that needs no credential: it says that the process runs, nothing about it (S14). */
const livePaths: ReadonlySet<string> = new Set(["/healthz", "/health"]);

/** Answers one request. Never throws. */
export function answerHttp(request: IncomingMessage, response: ServerResponse): void {
  const [path = "/"] = (request.url ?? "/").split("?");
  if (!livePaths.has(path)) answerJson(request, response, { status: 404, body: { ok: false, error: "not found" } });
  else if (request.method === "GET" || request.method === "HEAD")
    answerJson(request, response, { status: 200, body: { ok: true } });
  else {
    response.setHeader("allow", "GET, HEAD");
    answerJson(request, response, { status: 405, body: { ok: false, error: "method not allowed" } });
  }
}

/** A request from a page that may not talk to the Gateway. */
export function refuseHttp(request: IncomingMessage, response: ServerResponse, error: string): void {
  answerJson(request, response, { status: 403, body: { ok: false, error } });
}

function answerJson(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body }: { status: number; body: unknown },
): void {
  const text = `${JSON.stringify(body)}\n`;
  // a body that nobody asked for is not worth reading to its end
  const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
  response.writeHead(status, {
    ...securityHeaders,
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    ...(hasBody ? { connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : text);
}

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
