import assert from "node:assert/strict";
import { test } from "node:test";

import { applyMergePatch, listChanges } from "./merge.ts";

test("the examples of RFC 7396", () => {
  const examples: [unknown, unknown, unknown][] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of examples) assert.deepEqual(applyMergePatch(target, patch), result);
});

test("no patch reaches a prototype", () => {
  const merged = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}')) as object;
  assert.equal("polluted" in merged, false);
  assert.deepEqual(Object.keys(merged), ["__proto__"], "it stays a key, for validation to refuse");
});

test("changes are told by key, and a section that comes is each of its keys", () => {
  const from = { gateway: { port: 1, bind: "lan" }, bindings: [1] };
  const to = { gateway: { port: 2, bind: "lan" }, bindings: [2], agents: { defaults: { model: "a/b" } } };
  const changes = listChanges(from, to);
  assert.deepEqual(changes, [["gateway", "port"], ["bindings"], ["agents", "defaults", "model"]]);
});
