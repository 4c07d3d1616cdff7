import assert from "node:assert/strict";
import { test } from "node:test";

import { Fault } from "../base/fault.ts";
import { createTopics } from "./topics.ts";

test("a subscription belongs to one connection and ends with it", () => {
  const topics = createTopics();
  const first = new AbortController();
  const second = new AbortController();
  topics.add("sessions.changed", "a", first.signal);
  topics.add("sessions.changed", "a", first.signal);
  topics.add("sessions.changed", "b", second.signal);
  assert.deepEqual(
    ["a", "b", "c"].map((connId) => topics.has("sessions.changed", connId)),
    [true, true, false],
  );
  first.abort();
  assert.equal(topics.has("sessions.changed", "a"), false);
  assert.equal(topics.isWanted("sessions.changed"), true);
  topics.remove("sessions.changed", "b");
  assert.equal(topics.isWanted("sessions.changed"), false);
});

test("a connection that is gone cannot subscribe, and one cannot subscribe without end", () => {
  const topics = createTopics();
  topics.add("x", "gone", AbortSignal.abort());
  assert.equal(topics.isWanted("x"), false);
  const { signal } = new AbortController();
  for (let index = 0; index < 256; index += 1) topics.add(`t${index}`, "a", signal);
  assert.throws(
    () => topics.add("one more", "a", signal),
    (error) => error instanceof Fault && error.code === "overloaded",
  );
  topics.add("t0", "a", signal);
  topics.remove("t0", "a");
  topics.add("one more", "a", signal);
  assert.equal(topics.has("one more", "a"), true);
});
