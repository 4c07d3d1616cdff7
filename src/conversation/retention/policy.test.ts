import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { decideGoing, type Candidate, type PrunePolicy } from "./policy.ts";

const now = 1_000_000;
const sessions = fc.uniqueArray(
  fc.record({
    key: fc.nat({ max: 60 }).map((id) => `agent:x:${id}`),
    agentId: fc.constantFrom("main", "work", "home"),
    updatedAt: fc.integer({ min: 0, max: now }),
  }),
  { selector: ({ key }) => key, maxLength: 40 },
);
const asked = fc.record({
  olderThanMs: fc.option(fc.integer({ min: 0, max: now }), { nil: undefined }),
  keep: fc.option(fc.nat({ max: 20 }), { nil: undefined }),
  agentId: fc.option(fc.constantFrom("main", "work"), { nil: undefined }),
  guarded: fc.uniqueArray(fc.nat({ max: 60 })),
});
type Asked = typeof asked extends fc.Arbitrary<infer One> ? One : never;

const policyOf = ({ guarded, ...policy }: Asked): PrunePolicy => {
  const keys = new Set(guarded.map((id) => `agent:x:${id}`));
  return { ...policy, now, isProtected: (key) => keys.has(key) };
};
const holds = (property: (all: Candidate[], policy: PrunePolicy, raw: Asked) => void) =>
  fc.assert(fc.property(sessions, asked, (all, raw) => property(all, policyOf(raw), raw)));

test("what is protected, of another agent, or meant by nothing that was asked stays (R33)", () => {
  holds((all, policy) => {
    for (const { key, agentId, updatedAt, reason } of decideGoing(all, policy)) {
      assert.ok(!policy.isProtected(key));
      assert.ok(policy.agentId === undefined || policy.agentId === agentId);
      const isOld = policy.olderThanMs !== undefined && updatedAt < now - policy.olderThanMs;
      assert.equal(reason, isOld ? "age" : "count");
      assert.ok(isOld || policy.keep !== undefined);
    }
  });
});

test("all that is older goes, and of each agent no more than asked for stay, but for what is protected (R33)", () => {
  holds((all, policy) => {
    const going = new Set(decideGoing(all, policy).map(({ key }) => key));
    const meant = all.filter(({ agentId }) => policy.agentId === undefined || agentId === policy.agentId);
    for (const { key, updatedAt } of meant)
      if (policy.olderThanMs !== undefined && updatedAt < now - policy.olderThanMs)
        assert.ok(going.has(key) || policy.isProtected(key));
    const { keep } = policy;
    if (keep === undefined) return;
    for (const [, own] of Map.groupBy(meant, ({ agentId }) => agentId)) {
      const staying = own.filter(({ key }) => !going.has(key));
      const unguarded = staying.filter(({ key }) => !policy.isProtected(key));
      assert.ok(staying.length <= keep || unguarded.length <= keep);
      // of two that nothing protects, the one used later never goes before the other because of the number
      const newest = Math.max(-1, ...own.filter(({ key }) => going.has(key)).map(({ updatedAt }) => updatedAt));
      for (const { updatedAt } of unguarded) assert.ok(updatedAt >= newest || policy.olderThanMs !== undefined);
    }
  });
});

test("it is the same whatever the order, nothing goes at a second look, and asking for less takes less (R33)", () => {
  holds((all, policy) => {
    const going = decideGoing(all, policy);
    assert.deepEqual(decideGoing(all.toReversed(), policy), going);
    const keys = new Set(going.map(({ key }) => key));
    const left = all.filter(({ key }) => !keys.has(key));
    assert.deepEqual(decideGoing(left, policy), []);
    const lessOf = (less: Partial<PrunePolicy>) => decideGoing(all, { ...policy, ...less });
    for (const { key } of [
      ...lessOf({ keep: policy.keep === undefined ? undefined : policy.keep + 1 }),
      ...lessOf({ olderThanMs: policy.olderThanMs === undefined ? undefined : policy.olderThanMs + 1 }),
    ])
      assert.ok(keys.has(key));
    const times = going.map(({ updatedAt }) => updatedAt);
    assert.deepEqual(
      times,
      times.toSorted((one, other) => one - other),
    );
  });
});

test("nothing asked, nothing goes", () => {
  fc.assert(
    fc.property(sessions, (all) => {
      assert.deepEqual(decideGoing(all, { now, isProtected: () => false }), []);
    }),
  );
});
