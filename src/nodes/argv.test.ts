import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { bindCommand, renderArgv } from "./argv.ts";

const argv = fc.array(fc.oneof(fc.string(), fc.constantFrom("a", "a b", '"', "\\", "\u202e", "\u200b", "")), {
  minLength: 1,
  maxLength: 4,
});

test("a command reads as it is typed; what a shell would take apart is quoted", () => {
  assert.equal(renderArgv(["git", "log", "--format=%h"]), "git log --format=%h");
  assert.equal(renderArgv(["sh", "-c", "rm -rf /; true"]), 'sh -c "rm -rf /; true"');
  assert.equal(renderArgv(["echo", "a\u202eb"]), 'echo "a\\u202eb"');
});

test("two different lists never read the same, and nothing in them can hide or reorder text", () => {
  fc.assert(
    fc.property(argv, argv, (a, b) => {
      assert.equal(renderArgv(a) === renderArgv(b), JSON.stringify(a) === JSON.stringify(b));
      // eslint-disable-next-line eslint/no-control-regex -- control characters are what must not be there
      assert.ok(!/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e]/u.test(renderArgv(a)));
    }),
  );
});

test("the binding changes with each part of a command, and with nothing else", () => {
  const base = { argv: ["ls", "-l"], text: undefined, cwd: "/", env: { A: "1", B: "2" }, nodeId: "n" };
  const same = bindCommand({ ...base, env: { B: "2", A: "1" }, text: "whatever it is called" });
  assert.equal(bindCommand(base), same);
  const others = [
    { ...base, argv: ["ls", "-l", ""] },
    { ...base, argv: ["ls -l"] },
    { ...base, argv: undefined, text: "ls -l" },
    { ...base, cwd: null },
    { ...base, env: { A: "1" } },
    { ...base, env: { A: "1", B: "3" } },
    { ...base, nodeId: "m" },
  ];
  assert.equal(new Set([base, ...others].map(bindCommand)).size, others.length + 1);
});
