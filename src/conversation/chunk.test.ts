import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { chunkMarkdown, minChunkLimit } from "./chunk.ts";

const words = fc.array(
  fc.oneof(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).map((text) => text.replaceAll(/[`~\s]/gu, "x")),
    fc.constantFrom("\n", "\n\n", "```", "```ts\ncode();\n```", "~~~\ntext\n~~~", "👩‍👩‍👧‍👦", "é", "🇻🇳", "文字", ". "),
  ),
  { maxLength: 120 },
);
/** Fences stand on lines of their own, as a model writes them; anything else may follow anything. */
const markdown = words.map((parts) => parts.map((part) => (/^[`~]{3}/u.test(part) ? `\n${part}\n` : part)).join(" "));

/** Letters without white space and fences: what a reader must get, in order. */
const substance = (text: string) =>
  text
    .split("\n")
    .filter((line) => !/^ {0,3}(?:`{3,}|~{3,})/u.test(line))
    .join("")
    .replaceAll(/\s/gu, "");

test("no piece is longer than the limit", () => {
  fc.assert(
    fc.property(markdown, fc.integer({ min: minChunkLimit, max: 400 }), (text, limit) => {
      for (const chunk of chunkMarkdown(text, limit)) assert.ok(chunk.length <= limit, `${chunk.length} > ${limit}`);
    }),
  );
});

test("nothing that a reader sees is lost or moved", () => {
  fc.assert(
    fc.property(markdown, fc.integer({ min: minChunkLimit, max: 400 }), (text, limit) => {
      assert.equal(chunkMarkdown(text, limit).map(substance).join(""), substance(text));
    }),
  );
});

test("no grapheme is cut", () => {
  const family = "👩‍👩‍👧‍👦";
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: minChunkLimit, max: 120 }), (count, limit) => {
      for (const chunk of chunkMarkdown(family.repeat(count), limit)) {
        assert.equal(chunk.replaceAll(family, ""), "");
      }
    }),
  );
});

test("a fence that is cut is closed and opened again with its language", () => {
  const code = Array.from({ length: 40 }, (_, index) => `line ${index};`).join("\n");
  const chunks = chunkMarkdown(`Before\n\n\`\`\`ts\n${code}\n\`\`\`\n\nAfter`, 160);
  assert.ok(chunks.length > 2);
  for (const chunk of chunks) {
    const fences = chunk.split("\n").filter((line) => line.startsWith("```"));
    assert.equal(fences.length % 2, 0, chunk);
    for (const [index, fence] of fences.entries()) assert.equal(fence, index % 2 === 0 ? "```ts" : "```");
  }
});

test("blank text gives nothing and short text stays whole", () => {
  assert.deepEqual(chunkMarkdown(" \n ", 100), []);
  assert.deepEqual(chunkMarkdown("hello\nworld", 100), ["hello\nworld"]);
});
