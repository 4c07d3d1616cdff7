// Reading a body: no larger than the route allows, no slower than a pace, and all bodies together bounded, from their first byte until
// their request has been answered (S25).

import type { IncomingMessage, ServerResponse } from "node:http";

import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { isNestedBeyond, maxJsonDepth, parseJson } from "../../base/json.ts";
import type { Sweep } from "../../platform/memory.ts";
import { createPiles } from "./piles.ts";

/** Bytes of all bodies together whose requests are under way. */
const maxHeldBytes = 64 * 1024 * 1024;
/** Of bodies that do not say how large they become, which cannot be refused before they are read: of each, and of all that come in. */
export const maxUnannouncedBytes = 8 * 1024 * 1024;
/** Bodies that come in at once: for slow ones that hold a byte each. */
const maxReading = 1_024;
/** For a whole body: a small one, and one that may be large. The server's own limit for a request is a little longer. */
const smallBytes = 1024 * 1024;
const smallDeadlineMs = 10_000;
const deadlineMs = 25_000;
/** Of every such span so much must come. */
const paceMs = 5_000;
const paceBytes = 5_000;

export interface BodyReader {
  /**
   * For a request that was let in; its bytes count until the response is closed.
   * @throws Fault `too_large`, `too_slow`, `overloaded` or `aborted`; the client's connection is closed then.
   */
  read(request: IncomingMessage, response: ServerResponse, maxBytes: number): Promise<Buffer>;
}

export function createBodyReader(clock: Clock, sweep: Sweep): BodyReader {
  const total = { held: 0, unannounced: 0, reading: 0 };
  const piles = createPiles();
  return {
    async read(request, response, maxBytes) {
      checkAnnouncedSize(request, maxBytes);
      const announced = announcedBytes(request);
      const isAnnounced = announced !== undefined;
      const limit = isAnnounced ? maxBytes : Math.min(maxBytes, maxUnannouncedBytes);
      // one that the config allows must have room when it is alone
      const room = Math.max(maxHeldBytes, limit);
      if (total.reading >= maxReading || total.held + (announced ?? 0) > room) throw overloaded();
      if (request.headers.expect !== undefined) response.writeContinue();
      const pile = piles.open();
      const pace = createPace(clock, maxBytes);
      let size = 0;
      const count = (bytes: number) => {
        sweep.passed(bytes);
        pace.passed(bytes);
        size += bytes;
        total.held += bytes;
        if (!isAnnounced) total.unannounced += bytes;
      };
      const judge = (chunk: Buffer) => {
        if (size > limit) return limit === maxBytes ? tooLarge(maxBytes) : unannounced();
        if (total.held > room || total.unannounced > maxUnannouncedBytes) return overloaded();
        return pile.add(chunk) ? undefined : new Fault("invalid_params", "the body comes in too many pieces");
      };
      let take = (_chunk: Buffer) => {};
      total.reading += 1;
      try {
        await new Promise<void>((resolve, reject) => {
          take = (chunk) => {
            count(chunk.byteLength);
            const refusal = judge(chunk);
            if (refusal) reject(refusal);
          };
          const gone = () => reject(new Fault("aborted", "the client went away"));
          pace.onSlow(() => reject(new Fault("too_slow", "the body took too long", { next: "send it again" })));
          request.on("data", take);
          request.once("end", resolve);
          request.once("close", gone);
          request.once("error", gone);
        });
        return pile.whole();
      } finally {
        request.off("data", take);
        pile.close();
        pace.stop();
        total.reading -= 1;
        if (!isAnnounced) total.unannounced -= size;
        const release = () => {
          total.held -= size;
        };
        if (response.closed) release();
        else response.once("close", release);
      }
    },
  };
}

/** @throws Fault `too_large` for a body whose length says so, before any of it is read. */
export function checkAnnouncedSize(request: IncomingMessage, maxBytes: number): void {
  if ((announcedBytes(request) ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

/** Undefined: it comes in chunks until it ends. */
function announcedBytes({ headers }: IncomingMessage): number | undefined {
  if (headers["transfer-encoding"] !== undefined) return undefined;
  return Number(headers["content-length"] ?? 0);
}

interface Pace {
  passed(bytes: number): void;
  onSlow(task: () => void): void;
  stop(): void;
}

/** Tells when a body is late as a whole, or has almost stopped. */
function createPace(clock: Clock, maxBytes: number): Pace {
  let isSlow = () => {};
  let recent = 0;
  const look = () => {
    if (recent < paceBytes) isSlow();
    recent = 0;
    next = clock.after(paceMs, look);
  };
  let next = clock.after(paceMs, look);
  const deadline = clock.after(maxBytes <= smallBytes ? smallDeadlineMs : deadlineMs, () => isSlow());
  return {
    passed(bytes) {
      recent += bytes;
    },
    onSlow(task) {
      isSlow = task;
    },
    stop() {
      next.cancel();
      deadline.cancel();
    },
  };
}

const overloaded = () => new Fault("overloaded", "too many large requests", { retryAfterMs: 2_000 });

const tooLarge = (maxBytes: number) =>
  new Fault("too_large", `the body is larger than ${maxBytes} bytes`, { next: "send less at once" });

const unannounced = () =>
  new Fault("too_large", `a body of more than ${maxUnannouncedBytes} bytes must say its length`, {
    next: "send it with Content-Length",
  });

/** @throws Fault `invalid_params`; an empty body is an empty object. */
export function parseBody(bytes: Buffer): unknown {
  if (bytes.byteLength === 0) return {};
  const text = bytes.toString("utf8");
  const value = parseJson(text);
  if (value !== undefined) return value;
  const why = isNestedBeyond(text, maxJsonDepth) ? `is nested deeper than ${maxJsonDepth} levels` : "is not JSON";
  throw new Fault("invalid_params", `the body ${why}`);
}
