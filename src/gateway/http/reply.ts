// Writing answers: headers that every answer has, and an end that reaches a client which is still sending (drain.ts).

import type { IncomingMessage, ServerResponse } from "node:http";

import type { HttpReply } from "../../ports/route.ts";
import type { Drain } from "./drain.ts";

/** On every answer that does not say otherwise. */
export const securityHeaders = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

/** A route's headers win over those that every answer has. */
export function createReply(request: IncomingMessage, response: ServerResponse, drain: Drain): HttpReply {
  const isHead = request.method === "HEAD";
  const begin = (status: number, headers: Readonly<Record<string, string | number>>) =>
    response.writeHead(status, {
      ...securityHeaders,
      ...headers,
      ...(request.complete ? {} : { connection: "close" }),
    });
  const send = (status: number, body: string | Uint8Array, headers: Readonly<Record<string, string | number>>) => {
    begin(status, { ...headers, "content-length": Buffer.byteLength(body) });
    if (!isHead) response.write(body);
    if (request.complete) response.end();
    else drain.read(request, () => response.end());
  };
  return {
    send,
    json: (status, body, headers = {}) =>
      send(status, `${JSON.stringify(body)}\n`, { ...headers, "content-type": "application/json; charset=utf-8" }),
    stream(status, headers) {
      begin(status, headers);
      if (isHead) response.end();
      else response.flushHeaders();
      const isGone = () => response.destroyed || response.writableEnded;
      return {
        async write(chunk) {
          if (isGone()) return false;
          if (response.write(chunk)) return true;
          await new Promise<void>((resolve) => {
            const go = () => {
              response.off("drain", go);
              response.off("close", go);
              resolve();
            };
            response.on("drain", go);
            response.on("close", go);
          });
          return !isGone();
        },
        end: () => void response.end(),
      };
    },
  };
}
