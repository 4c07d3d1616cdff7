import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock } from "../../base/clock.ts";
import { createLimiter, maxFailures } from "./limiter.ts";

test("after too many wrong secrets a source waits until the window is over", async () => {
  const clock = createManualClock();
  const limiter = createLimiter(clock);
  for (let count = 0; count < maxFailures - 1; count += 1) limiter.fail("127.0.0.1");
  assert.equal(limiter.waitMs("127.0.0.1"), 0);
  await clock.advance(10_000);
  limiter.fail("127.0.0.1");
  assert.equal(limiter.waitMs("127.0.0.1"), 50_000);
  await clock.advance(50_000);
  assert.equal(limiter.waitMs("127.0.0.1"), 0);
});

test("one source's failures cost no other source anything", () => {
  const limiter = createLimiter(createManualClock());
  for (let count = 0; count < 1_000; count += 1) limiter.fail("203.0.113.9");
  assert.ok(limiter.waitMs("203.0.113.9") > 0);
  assert.equal(limiter.waitMs("127.0.0.1"), 0);
});

test("a source that goes on failing is not forgotten for newer ones", () => {
  const limiter = createLimiter(createManualClock());
  for (let count = 0; count < 30_000; count += 1) {
    limiter.fail(`source ${count}`);
    if (count % 1_000 === 0) limiter.fail("stubborn");
  }
  assert.ok(limiter.waitMs("stubborn") > 0);
});
