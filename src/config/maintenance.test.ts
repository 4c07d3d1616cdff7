import assert from "node:assert/strict";
import { test } from "node:test";

import { dayMs, readMaintenance } from "./maintenance.ts";
import { parseConfig } from "./parse.ts";

const read = (maintenance: unknown) => {
  const parsed = parseConfig(JSON.stringify({ session: { maintenance } }), () => undefined);
  return "config" in parsed ? readMaintenance(parsed.config) : "refused";
};
const of = (maintenance: unknown) => {
  const found = read(maintenance);
  assert.ok(found !== "refused", JSON.stringify(maintenance));
  return found;
};

test("without a word of it: a week, a month, ten gigabytes, and no session goes by itself", () => {
  assert.deepEqual(of(undefined), {
    isEnforced: true,
    finishedMs: 7 * dayMs,
    archivesMs: 30 * dayMs,
    sessions: { olderThanMs: undefined, keep: undefined },
    budget: { maxBytes: 10 * 1024 ** 3, targetBytes: 8 * 1024 ** 3 },
  });
  assert.deepEqual(of({}), of(undefined));
});

test("ages are hours, days or weeks, sizes have a unit or are bytes, and false is no limit", () => {
  assert.equal(of({ pruneAfter: "12h" }).sessions.olderThanMs, dayMs / 2);
  for (const month of ["30d", "30", 30]) assert.equal(of({ pruneAfter: month }).sessions.olderThanMs, 30 * dayMs);
  assert.equal(of({ pruneDays: 3 }).sessions.olderThanMs, 3 * dayMs);
  assert.equal(of({ pruneDays: 3, pruneAfter: "2w" }).sessions.olderThanMs, 14 * dayMs);
  assert.equal(of({ pruneDays: 3, pruneAfter: false }).sessions.olderThanMs, undefined);
  assert.equal(of({ resetArchiveRetention: false }).archivesMs, undefined);
  assert.equal(of({ mode: "warn" }).isEnforced, false);
  assert.deepEqual(of({ maxDiskBytes: "1.5gb" }).budget?.maxBytes, 1.5 * 1024 ** 3);
  assert.deepEqual(of({ maxDiskBytes: 1000, highWaterBytes: 500 }).budget, { maxBytes: 1000, targetBytes: 500 });
  assert.deepEqual(of({ maxDiskBytes: 1000, highWaterBytes: "1gb" }).budget, { maxBytes: 1000, targetBytes: 1000 });
  assert.deepEqual(of({ maxDiskBytes: 1000, highWaterBytes: 0 }).budget, { maxBytes: 1000, targetBytes: 800 });
  for (const none of [false, 0]) assert.equal(of({ maxDiskBytes: none }).budget, undefined);
});

test("what has no clear meaning is refused", () => {
  for (const maintenance of [
    { pruneAfter: "30m" },
    { pruneAfter: "a while" },
    { pruneAfter: 0 },
    { pruneAfter: true },
    { maxDiskBytes: "10" },
    { maxDiskBytes: -1 },
    { maxEntries: 0 },
    { mode: "off" },
    { unheardOf: 1 },
  ])
    assert.equal(read(maintenance), "refused", JSON.stringify(maintenance));
});
