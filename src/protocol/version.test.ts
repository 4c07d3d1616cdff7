import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { decideProtocol, maxProtocol, minProtocol } from "./version.ts";

const version = fc.integer({ min: 1, max: 12 });

test("the version is the highest that both sides know, and none when they share none", () => {
  fc.assert(
    fc.property(version, version, (clientMin, clientMax) => {
      const common: number[] = [];
      for (let one = minProtocol; one <= maxProtocol; one += 1)
        if (one >= clientMin && one <= clientMax) common.push(one);
      assert.equal(decideProtocol(clientMin, clientMax), common.at(-1));
    }),
    { numRuns: 500 },
  );
});

test("clients of both generations, their probes and the runbook's example all get a version", () => {
  assert.equal(decideProtocol(3, 3), 3);
  assert.equal(decideProtocol(3, 4), 4);
  assert.equal(decideProtocol(4, 4), 4);
  assert.equal(decideProtocol(7, 7), 7);
});

test("a range upside down shares nothing", () => {
  assert.equal(decideProtocol(5, 4), undefined);
});
