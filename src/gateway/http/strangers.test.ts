import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import { test } from "node:test";

import { createManualClock } from "../../base/clock.ts";
import { maxSilent, maxSilentPerAddress } from "../limits.ts";
import { createStrangers } from "./strangers.ts";

interface Guest extends EventEmitter {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  isClosed: boolean;
  isPaused: boolean;
  pause(): void;
  resume(): void;
  destroy(): void;
}

function setUp() {
  const clock = createManualClock();
  const strangers = createStrangers(clock);
  const server = new EventEmitter();
  // only events are asked of it
  strangers.attach(server as Server);
  let port = 0;
  return {
    clock,
    strangers,
    come(remoteAddress: string): Guest {
      const guest: Guest = Object.assign(new EventEmitter(), {
        remoteAddress,
        remotePort: ++port,
        localPort: 1,
        isClosed: false,
        isPaused: false,
        pause: () => (guest.isPaused = true),
        resume: () => (guest.isPaused = false),
        destroy() {
          guest.isClosed = true;
          guest.emit("close");
        },
      });
      server.emit("connection", guest);
      return guest;
    },
  };
}

/** A request by a socket of its own, as with TLS: the same ends, another object. */
const requestOf = ({ remoteAddress, remotePort, localPort }: Guest) =>
  ({ socket: { remoteAddress, remotePort, localPort } }) as IncomingMessage;

test("S30: beyond its number an address loses the connection that has been silent for longest, and others lose none", () => {
  const { strangers, come } = setUp();
  const other = come("192.0.2.1");
  const spoken = come("198.51.100.7");
  const silent = come("198.51.100.7");
  strangers.spoke(requestOf(spoken));
  const admitted = come("198.51.100.7");
  strangers.admit(requestOf(admitted));
  for (let count = 0; count < maxSilentPerAddress - 1; count += 1) come("::ffff:198.51.100.7");
  assert.deepEqual([silent.isClosed, spoken.isClosed], [true, false]);
  come("198.51.100.7");
  assert.deepEqual([spoken.isClosed, other.isClosed, admitted.isClosed], [true, false, false]);
});

test("S30: beyond the number of all, the address that has most loses one", () => {
  const { come } = setUp();
  const alone = come("192.0.2.1");
  const network = Array.from({ length: maxSilentPerAddress }, (_, index) => come(`2001:db8::${index.toString(16)}`));
  for (let count = 0; count < maxSilent - maxSilentPerAddress; count += 1) come(`10.0.${count >> 8}.${count & 255}`);
  assert.equal(alone.isClosed, false);
  assert.deepEqual([network[0]?.isClosed, network[1]?.isClosed], [true, false]);
});

test("what has closed by itself counts no more", () => {
  const { come } = setUp();
  const first = come("192.0.2.1");
  for (let count = 0; count < 3 * maxSilentPerAddress; count += 1) come("192.0.2.1").destroy();
  assert.equal(first.isClosed, false);
});

test("S30: from where too much was sent ahead, two at a time are read, a second later, for ten seconds; others as ever", async () => {
  const { strangers, come, clock } = setUp();
  strangers.slowDown(requestOf(come("192.0.2.1")));
  const [first, second, third] = [come("192.0.2.1"), come("192.0.2.1"), come("192.0.2.1")];
  const other = come("192.0.2.2");
  assert.deepEqual(
    [first, second, third, other].map(({ isClosed, isPaused }) => [isClosed, isPaused]),
    [
      [false, true],
      [false, true],
      [true, false],
      [false, false],
    ],
  );
  await clock.advance(1_000);
  assert.deepEqual([first.isPaused, second.isPaused, come("192.0.2.1").isPaused], [false, false, true]);
  await clock.advance(10_001);
  assert.equal(come("192.0.2.1").isPaused, false);
});
