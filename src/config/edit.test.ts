import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";
import JSON5 from "json5";

import { editText, renderText } from "./edit.ts";

const edit = (text: string, to: unknown) => editText(text, JSON5.parse(text), to);

const file = `// mine
{
  gateway: {
    port: 18789, // the usual
    /* who may
       come in */
    auth: { token: 'x' },
  },
  // people
  channels: { telegram: { allowFrom: [1, 2] } },
}
`;

test("one value changes and every other character stays", () => {
  const to = JSON5.parse(file) as { gateway: { port: number } };
  to.gateway.port = 19000;
  assert.deepEqual(edit(file, to), { text: file.replace("18789", "19000"), isInPlace: true });
});

test("a new key takes the manner of those around it", () => {
  const to = JSON5.parse(file) as { gateway: Record<string, unknown>; channels: { telegram: Record<string, unknown> } };
  to.gateway["mode"] = "local";
  to.channels.telegram["enabled"] = true;
  to.channels.telegram["allowFrom"] = [1, 2, 3];
  assert.equal(
    edit(file, to).text,
    file
      .replace("    auth: { token: 'x' },\n", `    auth: { token: 'x' },\n    mode: "local",\n`)
      .replace("[1, 2] }", "[1, 2, 3], enabled: true }"),
  );
  assert.equal(edit("{}", { a: { b: [] } }).text, '{\n  "a": {\n    "b": []\n  }\n}');
  assert.equal(edit('{\r\n\t"a": 1\r\n}', { a: 1, b: 2 }).text, '{\r\n\t"a": 1,\r\n\t"b": 2\r\n}');
});

test("a key goes with its line, its comma and the remark behind it", () => {
  const to = JSON5.parse(file) as { gateway: Record<string, unknown> };
  delete to.gateway["port"];
  assert.equal(edit(file, to).text, file.replace("    port: 18789, // the usual\n", ""));
  assert.equal(edit('{\n  "a": 1,\n  "b": 2\n}', { a: 1 }).text, '{\n  "a": 1\n}');
  assert.equal(edit("{ a: 1, b: 2, c: 3 }", { a: 1, c: 3 }).text, "{ a: 1, c: 3 }");
});

test("remarks at the head and the foot stay", () => {
  const { text } = edit("// top\n{ a: 1 /* one */ } // end", { a: 2, b: 3 });
  assert.match(text, /^\/\/ top[\s\S]*\/\* one \*\/[\s\S]*\/\/ end$/u);
});

const name = fc.oneof(fc.constantFrom("a", "b", "port", "x y", "ä", ""), fc.string({ maxLength: 4 }));
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.integer(),
    fc.constantFrom(Infinity, -0, 1e21, null, true, "//", "/* */", "', }", "\u2028"),
    fc.string({ maxLength: 6 }),
    tie("object"),
    fc.array(tie("value"), { maxLength: 4 }),
  ),
  object: fc.dictionary(
    name.filter((key) => key !== "__proto__"),
    tie("value"),
    { maxKeys: 5, noNullPrototype: true },
  ),
})).object;

/** The same value in one of the many ways in which people write. */
function write(inner: unknown, pick: () => number): string {
  const gap = () => ["", " ", "\n  ", "\r\n\t", " // it's {\n", " /* , } */ "][pick() % 6] ?? "";
  const list = (open: string, items: string[], close: string) => {
    const comma = items.length > 0 && pick() % 2 === 0 ? `,${gap()}` : "";
    return `${open}${gap()}${items.join(`${gap()},${gap()}`)}${gap()}${comma}${close}`;
  };
  if (Array.isArray(inner))
    return list(
      "[",
      inner.map((item) => write(item, pick)),
      "]",
    );
  if (Object.is(inner, -0)) return "-0";
  if (typeof inner !== "object" || inner === null) return JSON5.stringify(inner, { quote: pick() % 2 ? '"' : "'" });
  const members = Object.entries(inner).map(([key, item]) => {
    const shown = pick() % 2 === 0 && /^[a-z]+$/u.test(key) ? key : JSON.stringify(key);
    return `${shown}${gap()}:${gap()}${write(item, pick)}`;
  });
  return list("{", members, "}");
}

test("whatever is written and whatever it becomes, the text holds the new value and needs not to be written anew", () => {
  fc.assert(
    fc.property(value, value, fc.array(fc.nat({ max: 5 }), { minLength: 1 }), (from, other, picks) => {
      let at = 0;
      const pick = () => picks[(at += 1) % picks.length] ?? 0;
      const text = write(from, pick);
      assert.deepEqual(JSON5.parse(text), from, text);
      // half of the old, half of the new
      const to = {
        ...Object.fromEntries(Object.entries(from as object).filter(() => pick() % 2 === 0)),
        ...(other as object),
      };
      const edited = edit(text, to);
      assert.deepEqual(JSON5.parse(edited.text), to);
      assert.ok(edited.isInPlace, text);
      assert.equal(edit(text, from).text, text, "nothing to do");
    }),
    { numRuns: 2_000 },
  );
});

test("a text of our own reads back as the value", () => {
  fc.assert(fc.property(value, (any) => assert.deepEqual(JSON5.parse(renderText(any)), any)));
});
