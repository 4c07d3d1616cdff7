import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock } from "../../base/clock.ts";
import { createRestart } from "./restart.ts";

test("of many requests the earliest counts, and there is one restart (R7)", async () => {
  const clock = createManualClock();
  const restart = createRestart(clock);
  const due: string[] = [];
  void restart.due.then((reason) => due.push(reason));

  assert.partialDeepStrictEqual(restart.request({ reason: "first", delayMs: 2_000 }), { ok: true, delayMs: 2_000 });
  await clock.advance(500);
  for (let count = 0; count < 20; count += 1) {
    assert.partialDeepStrictEqual(restart.request({ reason: `edit ${count}`, delayMs: 2_000 }), {
      delayMs: 1_500,
      reason: "first",
    });
  }
  restart.request({ reason: "sooner", delayMs: 100 });
  await clock.advance(99);
  assert.deepEqual(due, []);
  await clock.advance(1);
  assert.deepEqual(due, ["sooner"]);
  await clock.advance(10_000);
  assert.deepEqual(due, ["sooner"]);
});

test("a restart that was cancelled does not come", async () => {
  const clock = createManualClock();
  const restart = createRestart(clock);
  const due: string[] = [];
  void restart.due.then((reason) => due.push(reason));
  restart.request({ reason: "x", delayMs: 10 });
  restart.cancel();
  await clock.advance(100);
  assert.deepEqual(due, []);
});
