import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { renderLine } from "./log-line.ts";

const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const line = {
  level: "warn",
  subsystem: "channels/telegram",
  message: "trouble",
  fields: { reason: "x y", n: 2 },
} as const;

test("three styles: time of day for a terminal, date and time for a journal, an object for a program", () => {
  assert.match(renderLine(line, "pretty", now), /^\d\d:\d\d:\d\d \[telegram\] trouble reason="x y" n=2$/u);
  assert.equal(renderLine(line, "compact", now), '2026-01-02T03:04:05.678Z [telegram] trouble reason="x y" n=2');
  assert.deepEqual(JSON.parse(renderLine(line, "json", now)), {
    time: "2026-01-02T03:04:05.678Z",
    level: "warn",
    subsystem: "channels/telegram",
    message: "trouble",
    reason: "x y",
    n: 2,
  });
});

test("a name is short, and is not said twice", () => {
  const shown = (subsystem: string, message = "x") =>
    renderLine({ ...line, subsystem, message, fields: undefined }, "compact", now).slice(25);
  assert.equal(shown("gateway/ws"), "[ws] x");
  assert.equal(shown("gateway"), "[gateway] x");
  assert.equal(shown("providers/a/b/c"), "[b/c] x");
  assert.equal(shown("gateway/ws", "[ws] closed"), "[ws] closed");
});

test("whatever is in it, a line is one line", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.jsonValue(),
      fc.constantFrom("pretty", "compact", "json"),
      (text, value, style) => {
        const shown = renderLine({ ...line, message: text, fields: { value } }, style as "pretty", now);
        assert.ok(!["\n", "\r", "\u001B"].some((character) => shown.includes(character)), shown);
      },
    ),
  );
});
