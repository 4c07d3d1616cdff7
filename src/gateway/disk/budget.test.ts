import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { chooseOldest, decideExcess } from "./budget.ts";

const spares = fc.uniqueArray(
  fc.record({ path: fc.string({ maxLength: 4 }), at: fc.nat({ max: 50 }), bytes: fc.nat({ max: 1_000 }) }),
  { selector: ({ path }) => path, maxLength: 30 },
);
const sum = (list: readonly { bytes: number }[]) => list.reduce((total, { bytes }) => total + bytes, 0);

test("of what can be spared the oldest goes, enough of it, and not one more than that (R33)", () => {
  fc.assert(
    fc.property(spares, fc.integer({ min: -100, max: 20_000 }), (all, bytes) => {
      const chosen = chooseOldest(all, bytes);
      const paths = new Set(chosen.map(({ path }) => path));
      assert.equal(paths.size, chosen.length);
      if (sum(all) >= bytes) assert.ok(sum(chosen) >= bytes);
      else assert.equal(chosen.length, all.length);
      assert.ok(chosen.length === 0 || sum(chosen.slice(0, -1)) < bytes);
      const newest = Math.max(-1, ...chosen.map(({ at }) => at));
      for (const { path, at } of all) if (!paths.has(path)) assert.ok(at >= newest);
      assert.deepEqual(chooseOldest(all.toReversed(), bytes), chosen);
    }),
  );
});

test("nothing is too much within the budget; beyond it, all that is above the target", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(), (bytes, maxBytes, targetBytes) => {
      const budget = { maxBytes, targetBytes: Math.min(maxBytes, targetBytes) };
      const excess = decideExcess(bytes, budget);
      assert.ok(excess >= 0);
      if (bytes <= maxBytes) assert.equal(excess, 0);
      else assert.equal(bytes - excess, budget.targetBytes);
    }),
  );
});
