// What a promise that must fail failed with.

import assert from "node:assert/strict";

import { Fault } from "../../src/base/fault.ts";

export async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error: unknown = await promise.then(
    () => assert.fail("it should have failed"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Fault, String(error));
  return error;
}
