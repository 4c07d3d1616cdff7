import assert from "node:assert/strict";
import { test } from "node:test";

import { createSemaphore } from "./semaphore.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("no more than the limit are in, and those who wait come in the order they came", async () => {
  const places = createSemaphore(2);
  const order: number[] = [];
  const releases: (() => void)[] = [];
  for (const number of [1, 2, 3, 4]) {
    void (async () => {
      releases.push(await places.acquire());
      order.push(number);
    })();
  }
  await turn();
  assert.deepEqual([order, places.active, places.waiting], [[1, 2], 2, 2]);
  releases[0]?.();
  releases[0]?.();
  await turn();
  assert.deepEqual([order, places.active, places.waiting], [[1, 2, 3], 2, 1], "a second release counts for nothing");
});

test("a limit that is raised lets those in who wait, and one that is lowered waits until enough have left", async () => {
  let limit = 1;
  const places = createSemaphore(() => limit);
  const releases: (() => void)[] = [];
  const enter = () => void places.acquire().then((release) => releases.push(release));
  enter();
  enter();
  enter();
  await turn();
  assert.equal(places.active, 1);
  limit = 3;
  enter();
  await turn();
  assert.deepEqual([places.active, places.waiting], [3, 1]);
  limit = 1;
  releases.splice(0, 2).forEach((release) => release());
  await turn();
  assert.deepEqual([places.active, places.waiting], [1, 1]);
  releases.splice(0, 1).forEach((release) => release());
  await turn();
  assert.deepEqual([places.active, places.waiting], [1, 0]);
});
