import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { systemIds } from "../base/ids.ts";
import { capabilityTtlMs, createCapabilities } from "./capabilities.ts";

function setUp() {
  const clock = createManualClock();
  return { clock, capabilities: createCapabilities({ clock, ids: systemIds }) };
}

test("S16: a capability is one session's, lasts a short time from its last use, and ends with its session", async () => {
  const { clock, capabilities } = setUp();
  const one = capabilities.of("one");
  const two = capabilities.of("two");
  assert.notEqual(one, two);
  assert.equal(capabilities.of("one"), one);
  await clock.advance(capabilityTtlMs - 1);
  assert.equal(capabilities.isValid(one), true);
  await clock.advance(capabilityTtlMs - 1);
  assert.deepEqual([capabilities.isValid(one), capabilities.isValid(two)], [true, false]);
  capabilities.end("one");
  assert.equal(capabilities.isValid(one), false);
  assert.equal(capabilities.isValid(""), false);
});

test("a page that is open keeps its capability, and is told when the session ends", async () => {
  const { clock, capabilities } = setUp();
  const capability = capabilities.of("one");
  let ended = 0;
  const leave = capabilities.hold(capability, () => (ended += 1));
  await clock.advance(3 * capabilityTtlMs);
  assert.equal(capabilities.isValid(capability), true);
  leave();
  await clock.advance(capabilityTtlMs);
  assert.equal(capabilities.isValid(capability), false);
  const again = capabilities.of("one");
  capabilities.hold(again, () => (ended += 1));
  capabilities.end("one");
  assert.equal(ended, 1);
});
