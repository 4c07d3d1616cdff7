import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { Fault } from "../base/fault.ts";
import { parseConfigPath, readAt, setAt, unsetAt } from "./path.ts";

test("dots, brackets and quotes name a place", () => {
  assert.deepEqual(parseConfigPath("gateway.port"), ["gateway", "port"]);
  assert.deepEqual(parseConfigPath("agents.list[0].id"), ["agents", "list", "0", "id"]);
  assert.deepEqual(parseConfigPath(`channels.telegram.groups["-100.5"]['it\\'s']`), [
    "channels",
    "telegram",
    "groups",
    "-100.5",
    "it's",
  ]);
});

test("what is no place is refused, and so is what would reach a prototype", () => {
  for (const text of [
    "",
    ".",
    ".a",
    "a.",
    "a..b",
    "a[",
    "a[x]",
    "a b",
    "a.[0]",
    "__proto__.x",
    "a['constructor']",
    "[0]a",
  ])
    assert.throws(() => parseConfigPath(text), Fault, text);
});

test("any path that can be quoted is read back as it was", () => {
  const name = fc
    .string({ minLength: 1, maxLength: 8 })
    .filter((text) => !/^(?:__proto__|prototype|constructor)$/u.test(text));
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (parts) => {
      const text = parts.map((part) => `["${part.replaceAll(/[\\"]/gu, String.raw`\$&`)}"]`).join("");
      assert.deepEqual(parseConfigPath(text), parts);
    }),
  );
});

test("what is set can be read and taken away again, and everything else stays", () => {
  const value = { a: { b: [1, { c: 2 }] }, d: "x" };
  assert.deepEqual(setAt(value, ["a", "b", "1", "c"], 3), { a: { b: [1, { c: 3 }] }, d: "x" });
  assert.deepEqual(setAt(value, ["a", "b", "2"], 3), { a: { b: [1, { c: 2 }, 3] }, d: "x" });
  assert.deepEqual(setAt(value, ["e", "f"], 1), { ...value, e: { f: 1 } });
  assert.throws(() => setAt(value, ["a", "b", "7"], 1), /the list has no item 7/u);
  assert.deepEqual(unsetAt(value, ["a", "b", "0"]), { a: { b: [{ c: 2 }] }, d: "x" });
  assert.equal(unsetAt(value, ["a", "x"]), undefined);
  assert.equal(readAt(value, ["a", "toString"]), undefined);
  assert.deepEqual(value, { a: { b: [1, { c: 2 }] }, d: "x" });
});
