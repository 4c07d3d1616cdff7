import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";
import JSON5 from "json5";

import { createPositions, positionOf } from "./positions.ts";

const key = fc.oneof(
  fc.stringMatching(/^[a-z]{1,5}$/u),
  fc.string({ maxLength: 6 }).filter((text) => text !== "__proto__"),
);
const document = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.integer(),
    fc.string({ maxLength: 8 }),
    fc.boolean(),
    fc.constant(null),
    tie("object"),
    fc.array(tie("value"), { maxLength: 3 }),
  ),
  object: fc.dictionary(key, tie("value"), { maxKeys: 4 }),
})).object;

/** Every path in the document. */
function paths(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [[...path, name], ...paths(inner, [...path, name])]);
}

test("the place of every key is where the key stands, in plain and in loose JSON5", () => {
  fc.assert(
    fc.property(document, fc.constantFrom("json", "json5"), (value, form) => {
      const plain =
        form === "json" ? JSON.stringify(value, undefined, 2) : JSON5.stringify(value, { space: "\t", quote: "'" });
      const text = `// first\n/* second\n */ ${plain} // last`;
      const position = createPositions(text);
      const lines = text.split("\n");
      for (const path of paths(value)) {
        const { line, column } = position(path);
        const rest = lines
          .slice(line - 1)
          .join("\n")
          .slice(column - 1);
        const name = path.at(-1) ?? "";
        const isItem = /^\d+$/u.test(name);
        const candidates = [
          JSON.stringify(name),
          name,
          `'${JSON.stringify(name)
            .slice(1, -1)
            .replaceAll("'", String.raw`\'`)
            .replaceAll(String.raw`\"`, '"')}'`,
        ];
        assert.ok(
          isItem || candidates.some((candidate) => rest.startsWith(candidate)) || /^['"]/u.test(rest),
          `${path.join(".")} at ${line}:${column}: ${rest.slice(0, 30)}`,
        );
      }
    }),
  );
});

test("a mark put in place of any key's text is found at the place that was told", () => {
  fc.assert(
    fc.property(document, fc.nat(), (value, pick) => {
      const all = paths(value).filter((path) => !/^\d+$/u.test(path.at(-1) ?? ""));
      const path = all[pick % Math.max(1, all.length)];
      if (!path) return;
      // the document with the last key of this path renamed: only that key's text differs between the two
      const renamed = rename(value, path, "\uE000mark");
      const text = JSON.stringify(renamed, undefined, 1);
      const offset = text.indexOf('"\uE000mark"');
      const before = text.slice(0, offset).split("\n");
      const found = createPositions(text)([...path.slice(0, -1), "\uE000mark"]);
      assert.deepEqual(found, { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 });
    }),
  );
});

function rename(value: unknown, path: readonly string[], name: string): unknown {
  const [first, ...rest] = path;
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === first ? rename(item, rest, name) : item));
  return Object.fromEntries(
    Object.entries(value as object).map(([own, inner]) => {
      if (own !== first) return [own, inner];
      return rest.length === 0 ? [name, inner] : [own, rename(inner, rest, name)];
    }),
  );
}

test("keys are found through comments, escapes, line continuations and every kind of line end", () => {
  const text = `// c\r\n{ /* { "no": 1 } */ 'a\\\nb': [1, // ]\n  {"\\u0063": +Infinity, d$_\\u0065: .5,},],\r"": {"x.y": 'z'}}`;
  assert.ok(JSON5.parse(text), "the text is what json5 reads");
  const position = createPositions(text);
  const at = (...path: string[]) => {
    const { line, column } = position(path);
    return `${line}:${column}`;
  };
  assert.equal(at("ab"), "2:21");
  assert.equal(at("ab", "0"), "3:6");
  assert.equal(at("ab", "1"), "4:3");
  assert.equal(at("ab", "1", "c"), "4:4");
  assert.equal(at("ab", "1", "d$_e"), "4:25");
  assert.equal(at(""), "5:1");
  assert.equal(at("", "x.y"), "5:6");
  assert.equal(at(), "2:1", "the whole");
});

test("a path that is not in the text is told by its nearest parent", () => {
  const position = createPositions("{\n  a: {\n    b: 1 } }");
  assert.deepEqual(position(["a", "c", "d"]), position(["a"]));
  assert.deepEqual(position(["z"]), { line: 1, column: 1 });
  assert.deepEqual(positionOf("", 5), { line: 1, column: 1 });
});

test("of a key that is written twice the last one counts, as for json5", () => {
  assert.deepEqual(createPositions("{ a: 1,\n a: 2 }")(["a"]), { line: 2, column: 2 });
});
