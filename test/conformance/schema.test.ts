// The published form of our protocol: docs/protocol.schema.json as any program would read it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Ajv } from "ajv";

import { definitionName } from "../../scripts/protocol-definitions.ts";
import { root } from "../../scripts/run.ts";
import { contract, events } from "../../src/protocol/contract.ts";
import { eventTable, methodTable } from "../../src/protocol/generated/methods.ts";
import { connectParams } from "../kit/raw-client.ts";
import { sample, type JsonSchema } from "../kit/schema-samples.ts";

interface Row {
  readonly scope: string;
  readonly role: string;
  readonly params: string;
  readonly result: string;
}

const text = readFileSync(join(root, "docs", "protocol.schema.json"), "utf8");
const schema = JSON.parse(text) as {
  $schema: string;
  $id: string;
  title: string;
  discriminator: { propertyName: string; mapping: Record<string, string> };
  methods: Record<string, Row>;
  events: Record<string, { scope: string; payload: string }>;
  definitions: Record<string, JsonSchema>;
};
// `discriminator`, `methods` and `events` are for generators of clients; a validator passes over them
const ajv = new Ajv({ strict: false, allErrors: true });
const isFrame = ajv.compile(schema);
const check = (name: string, value: unknown) => {
  const validate = ajv.getSchema(`${schema.$id}#/definitions/${name}`);
  assert.ok(validate, name);
  return validate(value) === true ? undefined : ajv.errorsText(validate.errors);
};

test("the root names itself and tells the three frames apart", () => {
  assert.equal(schema.$schema, "http://json-schema.org/draft-07/schema#");
  assert.match(schema.$id, /^https:\/\/.+\/protocol\.schema\.json$/u);
  assert.deepEqual(schema.discriminator, {
    propertyName: "type",
    mapping: {
      req: "#/definitions/RequestFrame",
      res: "#/definitions/ResponseFrame",
      event: "#/definitions/EventFrame",
    },
  });
  const good = [
    { type: "req", id: "1", method: "connect", params: connectParams("t") },
    { type: "res", id: "1", ok: true, payload: {} },
    { type: "res", id: "1", ok: false, error: { code: "UNAVAILABLE", message: "m", retryable: true, retryAfterMs: 5 } },
    { type: "event", event: "tick", payload: { ts: 1 }, seq: 1, stateVersion: { presence: 1, health: 1 } },
  ];
  const bad = [
    {},
    { type: "req", id: 1, method: "health" },
    { type: "res", id: "1" },
    { type: "res", id: "1", ok: true, more: 1 },
    { type: "event", event: "tick", seq: -1 },
    { type: "other", id: "1", method: "health", ok: true, event: "x" },
  ];
  for (const frame of good) assert.ok(isFrame(frame), JSON.stringify(frame));
  for (const frame of bad) assert.ok(!isFrame(frame), JSON.stringify(frame));
});

test("every reference leads to a definition, and every definition compiles and accepts a value made from it", () => {
  const references = [...text.matchAll(/"#\/definitions\/(\w+)"/gu)].map(([, name = ""]) => name);
  assert.ok(references.length > 20);
  for (const name of references) assert.ok(schema.definitions[name], name);
  for (const [name, definition] of Object.entries(schema.definitions))
    for (const extent of ["least", "full"] as const) {
      const value = sample(definition, extent);
      assert.equal(check(name, value), undefined, `${name}: ${JSON.stringify(value).slice(0, 300)}`);
    }
});

test("every method and event of the contract is there under its name, with scope, role and schemas", () => {
  assert.deepEqual(Object.keys(schema.methods), Object.keys(contract));
  assert.deepEqual(Object.keys(schema.events), Object.keys(events));
  for (const [name, { params, result }] of Object.entries(contract)) {
    const row = schema.methods[name];
    const { scope, role } = methodTable[name as keyof typeof methodTable];
    assert.deepEqual({ scope: row?.scope, role: row?.role }, { scope, role });
    const at = (ref = "") => schema.definitions[ref.replace("#/definitions/", "")];
    assert.deepEqual(at(row?.params), JSON.parse(JSON.stringify(params)), name);
    assert.deepEqual(at(row?.result), JSON.parse(JSON.stringify(result)), name);
  }
  for (const [name, { scope }] of Object.entries(eventTable)) assert.equal(schema.events[name]?.scope, scope);
});

test("names are those that programs know from the published schema", () => {
  const folder = join(root, "node_modules", "@openclaw", "gateway-protocol");
  const published = JSON.parse(readFileSync(join(folder, "protocol.schema.json"), "utf8")) as typeof schema;
  for (const name of ["ConnectParams", "HelloOk", "RequestFrame", "ResponseFrame", "EventFrame", "GatewayFrame"])
    assert.ok(schema.definitions[name] && published.definitions[name], name);
  for (const name of [
    "PresenceEntry",
    "StateVersion",
    "Snapshot",
    "ErrorShape",
    "AgentEvent",
    "ChatEvent",
    "TickEvent",
  ])
    assert.ok(schema.definitions[name] && published.definitions[name], name);
  assert.equal(published.$id, schema.$id);
  assert.equal(published.title, schema.title);
  assert.equal(definitionName("agent.identity.get", "Params"), "AgentIdentityParams");
  assert.equal(definitionName("config.schema", "Result"), "ConfigSchemaResponse");
  const lower = Object.keys(schema.definitions).map((name) => name.toLowerCase());
  assert.equal(new Set(lower).size, lower.length, "two names that differ in case alone");
});
