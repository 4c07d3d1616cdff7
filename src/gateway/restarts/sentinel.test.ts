import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { parseSentinel, renderForAgent, renderSentinel } from "./sentinel.ts";

test("a file of an older program is read with what it says, and nothing else of it", () => {
  const payload = {
    kind: "config-apply",
    status: "skipped",
    ts: 7,
    sessionKey: "agent:main:main",
    deliveryContext: { channel: "telegram", to: 123, accountId: "work", more: "x" },
    threadId: 5,
    message: " done ",
    doctorHint: "",
    stats: { mode: "git", reason: "because", steps: [1] },
  };
  assert.deepEqual(parseSentinel(JSON.stringify({ version: 1, payload })), {
    kind: "config-apply",
    status: "skipped",
    ts: 7,
    sessionKey: "agent:main:main",
    deliveryContext: { channel: "telegram", to: "123", accountId: "work" },
    threadId: "5",
    message: "done",
    stats: { mode: "git", reason: "because" },
  });
});

test("what is no such file says nothing, and whatever is read can be told", () => {
  for (const text of [
    "",
    "{",
    "[]",
    "null",
    '{"version":2,"payload":{"kind":"restart"}}',
    '{"version":1,"payload":{"kind":"x"}}',
  ])
    assert.equal(parseSentinel(text), undefined, text);
  fc.assert(
    fc.property(fc.record({ kind: fc.constant("restart") }, { requiredKeys: ["kind"] }), fc.object(), (base, extra) => {
      const sentinel = parseSentinel(JSON.stringify({ version: 1, payload: { ...extra, ...base } }));
      assert.ok(sentinel);
      assert.match(renderSentinel(sentinel), /^The Gateway has restarted\./u);
      assert.match(renderForAgent(sentinel), /do not ask for it again\.$/u);
    }),
  );
  const long = parseSentinel(JSON.stringify({ version: 1, payload: { kind: "restart", message: "x".repeat(1e6) } }));
  assert.equal(long?.message?.length, 2_000);
});
