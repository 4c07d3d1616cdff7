import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import type { TranscriptMessage } from "../ports/turn.ts";
import { estimateMessage, fitContext, repairPairs } from "./context.ts";

const usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, totalTokens: 0 };
const estimate = (text: string) => Math.ceil(text.length / 4);
const user = (text: string): TranscriptMessage => ({ role: "user", content: [{ type: "text", text }], timestamp: 1 });
const assistant = (text: string, calls: readonly string[] = []): TranscriptMessage => ({
  role: "assistant",
  content: [
    { type: "text", text },
    ...calls.map((id) => ({ type: "toolCall" as const, id, name: "t", arguments: {} })),
  ],
  timestamp: 1,
  provider: "p",
  model: "m",
  usage,
  stopReason: "stop",
});
const result = (id: string, text: string): TranscriptMessage => ({
  role: "toolResult",
  toolCallId: id,
  toolName: "t",
  isError: false,
  timestamp: 1,
  content: [{ type: "text", text }],
});

const text = fc.integer({ min: 0, max: 9_000 }).map((length) => "x".repeat(length));
const message = fc.oneof(
  text.map(user),
  fc
    .tuple(text, fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 2 }))
    .map(([words, calls]) => assistant(words, [...new Set(calls)])),
  fc.tuple(fc.constantFrom("a", "b", "c"), text).map(([id, words]) => result(id, words)),
);
const history = fc.array(message, { maxLength: 30 });

test("what is kept is within the budget, as long as the turn itself is", () => {
  fc.assert(
    fc.property(history, fc.integer({ min: 200, max: 20_000 }), (messages, tokens) => {
      const kept = fitContext(messages, [user("now")], { tokens, estimate });
      const cost = kept.reduce((sum, one) => sum + estimateMessage(one, estimate), 0);
      assert.ok(cost <= tokens, `${cost} > ${tokens}`);
      assert.deepEqual(kept.at(-1), user("now"));
      assert.equal(kept[0]?.role, "user");
    }),
  );
});

test("every call has its result right behind it, and no result stands alone", () => {
  fc.assert(
    fc.property(history, (messages) => {
      const repaired = repairPairs(messages);
      let open: string[] = [];
      for (const one of repaired) {
        if (one.role === "toolResult") {
          assert.ok(open.includes(one.toolCallId));
          open = open.filter((id) => id !== one.toolCallId);
        } else {
          assert.deepEqual(open, []);
          open = one.content.flatMap((block) => (block.type === "toolCall" ? [block.id] : []));
        }
      }
      assert.deepEqual(open, []);
    }),
  );
});

test("the newest turns stay, the oldest go first", () => {
  const messages = Array.from({ length: 10 }, (_, index) => [
    user(`question ${index} ${"x".repeat(400)}`),
    assistant(`answer ${index}`),
  ]).flat();
  const kept = fitContext(messages, [user("now")], { tokens: 500, estimate });
  assert.ok(kept.length > 2 && kept.length < messages.length);
  assert.deepEqual(kept.slice(0, -1), messages.slice(-(kept.length - 1)));
});

test("a conversation that the model began is opened for providers that want a person to begin", () => {
  const kept = fitContext([assistant("your train is late"), user("thanks")], [user("now")], { tokens: 500, estimate });
  assert.deepEqual(
    kept.map(({ role }) => role),
    ["user", "assistant", "user", "user"],
  );
});
