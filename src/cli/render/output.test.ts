import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { renderAge, renderTable } from "./output.ts";
import { cleanText, createTextStream } from "./text.ts";

test("columns are as wide as their widest cell, without blanks at the end", () => {
  const rows = [
    ["CHANNEL", "CODE", "NAME"],
    ["telegram", "AB", ""],
    ["x", "ABCDEFGH", "Ann"],
  ];
  assert.equal(renderTable(rows), "CHANNEL   CODE      NAME\ntelegram  AB\nx         ABCDEFGH  Ann");
  assert.equal(renderTable([]), "");
});

test("a name cannot move the cursor, colour the screen or break the row", () => {
  assert.equal(renderTable([["\u001B[31mred\u001B[0m\r\nnext\u0007\ttab"]]), "red next tab");
});

test("ages are told in the largest whole unit", () => {
  const told = [null, undefined, 0, 59_000, 60_000, 3_600_000, 86_400_000, 3 * 86_400_000].map(renderAge);
  assert.deepEqual(told, ["never", "never", "0s ago", "59s ago", "1m ago", "1h ago", "1d ago", "3d ago"]);
});

test("text from elsewhere keeps its line breaks and tabs and no other control", () => {
  assert.equal(cleanText("a\tb\n\u001B]0;title\u0007c\u001B[2J\u0008\u009Bd\r\n"), "a\tb\ncd\n");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.doesNotMatch(cleanText(text), /[\p{Cc}--[\n\t]]/v);
    }),
  );
});

test("a growing text is written once", () => {
  let written = "";
  const stream = createTextStream((text) => {
    written += text;
  });
  for (const whole of ["He", "Hello", "Hello", "Hello there"]) stream.take(whole);
  assert.equal(written, "Hello there");
  assert.equal(stream.shown(), "Hello there");
});

test("a text that was taken back begins again on a new line, and only it counts as shown", () => {
  let written = "";
  const stream = createTextStream((text) => {
    written += text;
  });
  for (const whole of ["First try", "Sec", "Second"]) stream.take(whole);
  assert.equal(written, "First try\nSecond");
  assert.equal(stream.shown(), "Second");
});
