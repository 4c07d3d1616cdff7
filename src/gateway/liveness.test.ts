import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { pingIntervalMs } from "./limits.ts";
import { watchLiveness } from "./liveness.ts";

function setUp() {
  const clock = createManualClock();
  const heard = new Map<string, () => void>();
  const counts = { pings: 0, terminated: 0 };
  const socket = {
    OPEN: 1 as const,
    readyState: 1 as const,
    bufferedAmount: 0,
    ping: () => void (counts.pings += 1),
    terminate: () => void (counts.terminated += 1),
    on: (event: string, listener: () => void) => void heard.set(event, listener),
  };
  const stop = watchLiveness(socket, clock);
  return { clock, socket, counts, stop, hear: (event: "pong" | "message") => heard.get(event)?.() };
}

test("a client that says nothing after a ping is cut off by the next", async () => {
  const { clock, counts } = setUp();
  await clock.advance(pingIntervalMs);
  assert.deepEqual(counts, { pings: 1, terminated: 0 });
  await clock.advance(pingIntervalMs);
  assert.deepEqual(counts, { pings: 1, terminated: 1 });
  await clock.advance(pingIntervalMs * 10);
  assert.equal(counts.terminated, 1);
});

test("a pong, a message, or reading on is a sign of life", async () => {
  const { clock, counts, socket, hear, stop } = setUp();
  await clock.advance(pingIntervalMs);
  hear("pong");
  await clock.advance(pingIntervalMs);
  hear("message");
  socket.bufferedAmount = 5_000;
  await clock.advance(pingIntervalMs);
  socket.bufferedAmount = 4_000;
  await clock.advance(pingIntervalMs);
  assert.deepEqual(counts, { pings: 4, terminated: 0 });
  await clock.advance(pingIntervalMs);
  assert.equal(counts.terminated, 1);
  stop();
});
