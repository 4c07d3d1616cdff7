// Reading a body: no larger than the route allows, no slower than a deadline, and all bodies together bounded.

import type { IncomingMessage, ServerResponse } from "node:http";

import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { isNestedBeyond, maxJsonDepth, parseJson } from "../../base/json.ts";

/** Bytes of all bodies that are being read, together. */
const maxTotalBytes = 64 * 1024 * 1024;
/** For a whole body: a small one, and one that may be large. The server's own limit for a request is a little longer. */
const smallBytes = 1024 * 1024;
const smallDeadlineMs = 10_000;
const deadlineMs = 25_000;

export interface BodyReader {
  /** @throws Fault `too_large`, `timeout`, `overloaded` or `aborted`; the client's connection is closed then. */
  read(request: IncomingMessage, response: ServerResponse, maxBytes: number): Promise<Buffer>;
}

export function createBodyReader(clock: Clock): BodyReader {
  let held = 0;
  return {
    async read(request, response, maxBytes) {
      checkAnnouncedSize(request, maxBytes);
      if (request.headers.expect !== undefined) response.writeContinue();
      const chunks: Buffer[] = [];
      let size = 0;
      const timer = clock.after(maxBytes <= smallBytes ? smallDeadlineMs : deadlineMs, () =>
        stop(new Fault("timeout", "the body took too long")),
      );
      let stop = (_fault: Fault) => {};
      try {
        return await new Promise<Buffer>((resolve, reject) => {
          stop = (fault) => {
            request.off("data", take);
            reject(fault);
          };
          const take = (chunk: Buffer) => {
            size += chunk.byteLength;
            held += chunk.byteLength;
            if (size > maxBytes) stop(tooLarge(maxBytes));
            else if (held > maxTotalBytes)
              stop(new Fault("overloaded", "too many large requests", { retryAfterMs: 2_000 }));
            else chunks.push(chunk);
          };
          request.on("data", take);
          request.once("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
          request.once("close", () => stop(new Fault("aborted", "the client went away")));
          request.once("error", () => stop(new Fault("aborted", "the client went away")));
        });
      } finally {
        timer.cancel();
        held -= size;
      }
    },
  };
}

/** @throws Fault `too_large` for a body whose length says so, before any of it is read. */
export function checkAnnouncedSize({ headers }: IncomingMessage, maxBytes: number): void {
  if (Number(headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): Fault {
  return new Fault("too_large", `the body is larger than ${maxBytes} bytes`, { next: "send less at once" });
}

/** @throws Fault `invalid_params`; an empty body is an empty object. */
export function parseBody(bytes: Buffer): unknown {
  if (bytes.byteLength === 0) return {};
  const text = bytes.toString("utf8");
  const value = parseJson(text);
  if (value !== undefined) return value;
  const why = isNestedBeyond(text, maxJsonDepth) ? `is nested deeper than ${maxJsonDepth} levels` : "is not JSON";
  throw new Fault("invalid_params", `the body ${why}`);
}
