import assert from "node:assert/strict";
import { test } from "node:test";

import { buildChildEnv } from "./child-env.ts";

const variables: Readonly<Record<string, string>> = {
  PATH: "/usr/bin",
  HOME: "/home/me",
  OPENCLAW_GATEWAY_TOKEN: "hunter2",
  ANTHROPIC_API_KEY: "hunter2",
  NODE_OPTIONS: "--require /evil",
  LD_PRELOAD: "/evil.so",
  SSH_AUTH_SOCK: "/s",
};

test("a command gets what is on the list: no token, no key, nothing that loads code", () => {
  const env = buildChildEnv((name) => variables[name], { GREETING: "hi" });
  assert.deepEqual(env, { PATH: "/usr/bin", HOME: "/home/me", GREETING: "hi" });
});

test("variables that make any program load code are refused, approved or not", () => {
  const names = ["LD_PRELOAD", "ld_preload", "DYLD_INSERT_LIBRARIES", "NODE_OPTIONS", "PATH", "BASH_ENV", "PYTHONPATH"];
  for (const name of names) assert.throws(() => buildChildEnv(() => undefined, { [name]: "x" }), /load/u, name);
});

test("what is no name of a variable is refused", () => {
  for (const name of ["", "A=B", "A B", "1A", "A\0"])
    assert.throws(() => buildChildEnv(() => undefined, { [name]: "x" }), /is no variable/u);
  assert.throws(() => buildChildEnv(() => undefined, { A: "x\0y" }), /is no variable/u);
});
