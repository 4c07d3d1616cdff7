import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { methodTable } from "./generated/methods.ts";
import { validate_params_send } from "./generated/requests.js";
import { validateConnect, validateFrame, validateParams } from "./validate.ts";

const connect = {
  minProtocol: 3,
  maxProtocol: 4,
  client: { id: "cli", version: "1", platform: "linux", mode: "cli" },
};
const send = { to: "1", message: "hi", idempotencyKey: "k" };

test("what is valid has no issue", () => {
  assert.equal(validateFrame({ type: "req", id: "1", method: "health" }), undefined);
  assert.equal(validateConnect(connect), undefined);
  assert.equal(validateParams("send", send), undefined);
});

test("a missing property of the root is named without a place, one further down with it", () => {
  const missing = (name: string) => `must have required property '${name}'`;
  assert.deepEqual(validateParams("agent.wait", {}), { text: missing("runId"), field: "runId" });
  const { id: _id, ...client } = connect.client;
  assert.deepEqual(validateConnect({ ...connect, client }), {
    text: `at /client: ${missing("id")}`,
    field: "client.id",
  });
});

test("several problems are joined, the first names the field", () => {
  assert.deepEqual(validateFrame({ type: "event", id: 5 }), {
    text: "must have required property 'method'; at /type: must be equal to constant; at /id: must be string",
    field: "method",
  });
});

test("what is no object at all is said without a place and without a field", () => {
  for (const value of [5, "connect", null, [], true])
    assert.deepEqual(validateConnect(value), { text: "must be object", field: undefined });
});

test("a field whose name holds a slash or a tilde is named as it was sent", () => {
  const issue = validateConnect({ ...connect, permissions: { "a/b~1": "yes" } });
  assert.equal(issue?.text, "at /permissions/a~1b~01: must be boolean");
  assert.equal(issue?.field, "permissions.a/b~1");
});

test("properties that the contract does not know are ignored", () => {
  assert.equal(validateFrame({ type: "req", id: "1", method: "health", traceparent: "00-1" }), undefined);
  assert.equal(
    validateConnect({ ...connect, computerUse: {}, client: { ...connect.client, buildId: "b" } }),
    undefined,
  );
  assert.equal(validateParams("send", { ...send, gifPlayback: true }), undefined);
  assert.equal(validateParams("status", { somethingNew: [1] }), undefined);
});

test("any words are taken for the client's id and mode, but for empty ones", () => {
  const word = fc.string({ minLength: 1, maxLength: 256 });
  fc.assert(
    fc.property(word, word, (id, mode) => {
      assert.equal(validateConnect({ ...connect, client: { ...connect.client, id, mode } }), undefined);
    }),
  );
  assert.equal(validateConnect({ ...connect, client: { ...connect.client, mode: "" } })?.field, "client.mode");
});

test("a million bad items are one problem, found at once", () => {
  const mediaUrls = Array.from({ length: 1_000_000 }, () => 1);
  const issue = validateParams("send", { ...send, to: 7, mediaUrls });
  assert.equal(issue?.text, "at /to: must be string; at /mediaUrls/0: must be string");
});

test("a long text of problems is cut", () => {
  const permissions = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`${n}`.repeat(500), n]));
  const issue = validateConnect({ ...connect, permissions });
  assert.ok(issue && issue.text.length <= 1_000 && (issue.field?.length ?? 0) <= 1_000);
});

test("what was wrong with a value is not kept once it was told", () => {
  assert.ok(validateParams("send", {}));
  assert.equal(validate_params_send.errors, null);
});

test("every method has a validator, and a name that is none gets an issue, not a pass", () => {
  for (const method of Object.keys(methodTable))
    assert.match(validateParams(method, 5)?.text ?? "", /^must be object$/u, method);
  for (const method of ["no.such", "", "constructor", "__proto__", "toString"])
    assert.match(validateParams(method, {})?.text ?? "", /no schema/u);
});

test("no value from outside makes a validator throw", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(methodTable)), (value, method) => {
      for (const issue of [validateFrame(value), validateConnect(value), validateParams(method, value)])
        assert.ok(issue === undefined || issue.text.length > 0);
    }),
    { numRuns: 500 },
  );
});
