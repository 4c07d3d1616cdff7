import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { cooldownMs, decideFailure, maxTriesPerModel, type FailureFacts } from "./failover.ts";

const facts: fc.Arbitrary<FailureFacts> = fc.record({
  failure: fc.constantFrom(
    "retry" as const,
    "key" as const,
    "model" as const,
    "too-long" as const,
    "refused" as const,
    "bug" as const,
  ),
  tries: fc.integer({ min: 1, max: 6 }),
  retryAfterMs: fc.option(fc.integer({ min: 0, max: 600_000 }), { nil: undefined }),
  hasOther: fc.boolean(),
  isShortened: fc.boolean(),
});

test("no decision waits three seconds, tries for ever or names a model that is not there", () => {
  fc.assert(
    fc.property(facts, (one) => {
      const decision = decideFailure(one);
      if (decision.action === "retry") {
        assert.ok(decision.afterMs < 3_000);
        assert.ok(one.tries < maxTriesPerModel);
      }
      if (decision.action === "next") assert.ok(one.hasOther);
      if (decision.action === "give-up") assert.ok(!one.hasOther);
    }),
  );
});

test("what cannot get better by itself is not tried again", () => {
  for (const failure of ["key", "model", "refused", "bug"] as const) {
    assert.equal(
      decideFailure({ failure, tries: 1, retryAfterMs: undefined, hasOther: false, isShortened: false }).action,
      "give-up",
    );
  }
});

test("cooldowns grow and stay below an hour; a refusal or a bug says nothing about the model", () => {
  assert.equal(cooldownMs("bug", 3, undefined), 0);
  assert.ok(cooldownMs("retry", 2, undefined) > cooldownMs("retry", 1, undefined));
  assert.ok(cooldownMs("key", 50, undefined) <= 3_600_000);
  assert.equal(cooldownMs("retry", 1, 5_000), 5_000);
});
