import assert from "node:assert/strict";
import { test } from "node:test";

import { silentLog } from "../base/log.ts";
import { createBus } from "./bus.ts";

test("a listener that throws stops neither the others nor the publisher, and is logged", () => {
  const logged: string[] = [];
  const bus = createBus({ ...silentLog, error: (message) => logged.push(message) });
  const seen: number[] = [];
  bus.subscribe(() => {
    throw new Error("broken");
  });
  const leave = bus.subscribe((event) => seen.push(event.seq));
  bus.publish("tick", { ts: 1 });
  bus.publish("tick", { ts: 2 });
  leave();
  bus.publish("tick", { ts: 3 });
  assert.deepEqual(seen, [1, 2]);
  assert.equal(logged.length, 3);
});

test("what a listener publishes comes after the event it was told of, for everybody", () => {
  const bus = createBus(silentLog);
  const seen: number[] = [];
  bus.subscribe(({ seq }) => {
    if (seq < 3) bus.publish("tick", { ts: seq });
  });
  bus.subscribe(({ seq }) => seen.push(seq));
  bus.publish("tick", { ts: 0 });
  assert.deepEqual(seen, [1, 2, 3]);
});

test("who leaves while an event is told hears nothing of it any more", () => {
  const bus = createBus(silentLog);
  const seen: string[] = [];
  bus.subscribe(() => leave());
  const leave = bus.subscribe(() => seen.push("left"));
  bus.subscribe(() => seen.push("stays"));
  bus.publish("tick", { ts: 1 });
  assert.deepEqual(seen, ["stays"]);
});
