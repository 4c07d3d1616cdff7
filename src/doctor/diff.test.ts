import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { diffLines } from "./diff.ts";

test("only what changed is shown, with what stands around it", () => {
  const before = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
  const after = before.with(9, "other").toSpliced(15, 1);
  assert.deepEqual(diffLines(before.join("\n"), after.join("\n")), [
    "@@ line 8",
    "  line 8",
    "  line 9",
    "- line 10",
    "+ other",
    "  line 11",
    "  line 12",
    "@@ line 14",
    "  line 14",
    "  line 15",
    "- line 16",
    "  line 17",
    "  line 18",
  ]);
  assert.deepEqual(diffLines("a", "a"), []);
});

test("property: what is taken away and added is what the two texts differ in", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 });
  fc.assert(
    fc.property(lines, lines, (a, b) => {
      const shown = diffLines(a.join("\n"), b.join("\n"));
      const count = (sign: string, word: string) => shown.filter((line) => line === `${sign} ${word}`).length;
      const texts = [a, b].map((one) => one.join("\n").split("\n"));
      for (const word of ["a", "b", "c", "d", ""]) {
        const [was, is] = texts.map((one) => one.filter((line) => line === word).length);
        assert.equal(count("+", word) - count("-", word), (is ?? 0) - (was ?? 0), `${word}: ${shown.join("|")}`);
      }
    }),
  );
});
