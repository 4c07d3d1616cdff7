import assert from "node:assert/strict";
import { test } from "node:test";

import { isOpen } from "./invoke.ts";

test("S12: what runs code or reaches other sessions is closed over HTTP until its owner opens it by name", () => {
  for (const name of ["exec", "write", "sessions_send", "cron", "gateway", "nodes"]) {
    assert.equal(isOpen(name, {}), false, name);
    assert.equal(isOpen(name, { allow: [name] }), true, name);
    assert.equal(isOpen(name, { allow: ["*"] }), false, name);
    assert.equal(isOpen(name, { allow: [name], deny: [name] }), false, name);
  }
  assert.equal(isOpen("session_status", {}), true);
  assert.equal(isOpen("session_status", { deny: ["*"] }), false);
});
