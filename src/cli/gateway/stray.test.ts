import assert from "node:assert/strict";
import { test } from "node:test";

import { judgeStray } from "./stray.ts";

const withCode = (code: string, cause?: unknown) => Object.assign(new Error("x", { cause }), { code });

test("a network that breaks ends nothing, however deep its code is hidden (R2)", () => {
  for (const code of ["ECONNRESET", "ENOTFOUND", "EPIPE", "EAI_AGAIN", "ETIMEDOUT", "UND_ERR_SOCKET"]) {
    for (const how of ["thrown", "rejected"] as const) {
      assert.equal(judgeStray(withCode(code), how), "network");
      assert.equal(judgeStray(new TypeError("fetch failed", { cause: withCode(code) }), how), "network");
      assert.equal(judgeStray(new AggregateError([new Error("a"), withCode(code)]), how), "network");
    }
  }
});

test("a promise that nobody looked after is a bug of one place; an error out of a callback is the end (R2)", () => {
  for (const error of [new Error("x"), new TypeError("x is not a function"), "text", undefined, withCode("ENOSPC")]) {
    assert.equal(judgeStray(error, "rejected"), "bug");
    assert.equal(judgeStray(error, "thrown"), "fatal");
  }
});

test("no memory and no worker are the end, and giving up waiting is nothing", () => {
  for (const code of ["ERR_OUT_OF_MEMORY", "ERR_WORKER_OUT_OF_MEMORY", "ERR_SCRIPT_EXECUTION_TIMEOUT"])
    assert.equal(judgeStray(withCode("ECONNRESET", withCode(code)), "rejected"), "fatal");
  assert.equal(judgeStray(new DOMException("left", "AbortError"), "thrown"), "pass");
});

test("an error that is its own cause is looked into once", () => {
  const error = new Error("x");
  error.cause = error;
  assert.equal(judgeStray(error, "rejected"), "bug");
});
