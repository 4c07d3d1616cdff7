import assert from "node:assert/strict";
import { test } from "node:test";

import { readHooks } from "./section.ts";

const token = "hook-token-0123456789-abcdef";

test("S26: hooks open only with a token of their own, a path of their own, and no code", () => {
  assert.deepEqual(readHooks(undefined, "s"), { state: "off" });
  assert.deepEqual(readHooks({ enabled: false, token }, "s"), { state: "off" });
  const refused = [
    { enabled: true },
    { enabled: true, token: "   " },
    { enabled: true, token: "x".repeat(23) },
    { enabled: true, token, path: "/" },
    { enabled: true, token, path: "//" },
    { enabled: true, token, mappings: [{ transform: {} }] },
  ];
  for (const section of refused) assert.equal(readHooks(section, "s").state, "refused", JSON.stringify(section));
  assert.equal(readHooks({ enabled: true, token }, token).state, "refused");
});

test("the path has one slash in front and none behind, and presets come after the owner's rules", () => {
  for (const path of ["hooks", "/hooks", "/hooks/", "//hooks//"]) {
    const state = readHooks({ enabled: true, token, path, presets: ["gmail"], mappings: [{ id: "own" }] }, "s");
    assert.ok(state.state === "on");
    assert.equal(state.path, "/hooks");
    assert.deepEqual(
      state.mappings.map(({ id }) => id),
      ["own", "gmail"],
    );
  }
});
