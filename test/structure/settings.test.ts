import assert from "node:assert/strict";
import { test } from "node:test";

import { Ajv } from "ajv";
import fc from "fast-check";

import { splitSchema, toEditorSchema } from "../../scripts/generate-settings.ts";
import { configSchema } from "../../src/settings/config.ts";
import { readConfigKeys } from "../../src/settings/key-table.ts";
import { validate_config } from "../../src/settings/generated/validator.js";

type Node = Parameters<typeof splitSchema>[0];

/** Every key of the schema with its node, found without the generator's own walk. */
function* walk(node: Node, path: string): Generator<[string, Node]> {
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const childPath = path === "" ? name : `${path}.${name}`;
    yield [childPath, child];
    yield* walk(child, childPath);
  }
  for (const child of Object.values(node.patternProperties ?? {})) yield* walk(child, `${path}.*`);
  for (const child of [...(node.anyOf ?? []), ...(node.items ? [node.items] : [])]) yield* walk(child, path);
}
const configKeys = readConfigKeys();
const keys = [...walk(configSchema as Node, "")];

test("every key says what it is for", () => {
  const silent = keys.filter(([, node]) => !node.description && !node.properties).map(([path]) => path);
  assert.deepEqual(silent, []);
  assert.ok(keys.length > 300, String(keys.length));
});

test("whatever is called a token, password, secret or key of an API is marked as a secret", () => {
  const named = /(?:^|\.)(?:\w*token|password|\w*secret|apiKey)$/iu;
  const isCounted = (path: string) => !/maxTokens|contextTokens/u.test(path);
  const unmarked = keys.filter(([path, node]) => named.test(path) && isCounted(path) && node.secret !== true);
  assert.deepEqual(
    unmarked.map(([path]) => path),
    [],
  );
  for (const path of ["env.*", "env.vars.*", "models.providers.*.headers.*", "channels.telegram.accounts.*.botToken"])
    assert.equal(configKeys.get(path)?.isSecret, true, path);
});

test("a live change disturbs what the operations page says", () => {
  const expected = {
    "gateway.remote": "none",
    "gateway.reload.mode": "none",
    "gateway.port": "listener",
    "channels.telegram.botToken": "channel",
    "channels.telegram.allowFrom": "none",
    "channels.telegram.accounts.*.dmPolicy": "none",
    "agents.defaults.heartbeat.every": "hot",
    "agents.defaults.model": "none",
    "agents.defaults.model.primary": "none",
    "cron.enabled": "hot",
    "hooks.token": "none",
    "browser.headless": "hot",
    "web.enabled": "channel",
    "plugins.enabled": "restart",
    "discovery.mdns.mode": "restart",
    "models.providers.*.apiKey": "none",
    "tools.deny": "none",
    wizard: "none",
    meta: "none",
    update: "restart",
  };
  const actual = Object.fromEntries(Object.keys(expected).map((path) => [path, configKeys.get(path)?.reload]));
  assert.deepEqual(actual, expected);
});

test("the table holds every key, each with an effect that exists", () => {
  const missing = keys.map(([path]) => path).filter((path) => !configKeys.has(path) && !configKeys.has(listed(path)));
  assert.deepEqual(missing, []);
  const effects = new Set([...configKeys.values()].map(({ reload }) => reload));
  assert.deepEqual([...effects].toSorted(), ["channel", "hot", "listener", "none", "restart"]);
});

/** The generator marks the items of these lists of objects. */
function listed(path: string): string {
  return path.replace(
    /^(agents\.list|bindings|hooks\.mappings|session\.sendPolicy\.rules|models\.providers\.\*\.models)(?=\.)/u,
    "$1.[]",
  );
}

test("editors accept a file that leaves out what has a default", () => {
  const isValid = new Ajv({ strict: false }).compile(toEditorSchema(configSchema as Node));
  assert.ok(isValid({}), JSON.stringify(isValid.errors));
  assert.ok(isValid({ gateway: { port: 1 }, channels: { telegram: { botToken: "1:a" } } }));
  assert.ok(!isValid({ gatway: {} }));
});

test("the validator in parts finds what the schema in one piece does, and fills in the same", () => {
  const whole = new Ajv({ strict: false, allErrors: true, useDefaults: true }).compile(configSchema);
  const word = fc.constantFrom("a", "open", "pairing", "loopback", "", "https://x", "id");
  const leaf = fc.oneof(word, fc.integer({ min: -1, max: 70_000 }), fc.boolean(), fc.constant(null));
  const names = [...new Set(keys.map(([path]) => path.split(".").at(-1) ?? ""))];
  const anyValue = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie("value"), { maxLength: 2 }), tie("object")),
    object: fc.dictionary(fc.oneof(fc.constantFrom(...names), word), tie("value"), { maxKeys: 4 }),
  })).object;
  // values at the places of real keys, some of them random
  const placed = fc
    .array(fc.tuple(fc.constantFrom(...keys.map(([path]) => path)), fc.oneof(leaf, anyValue)), { maxLength: 6 })
    .map((entries) => entries.reduce((all, [path, value]) => place(all, path.split("."), value), {}));

  fc.assert(
    fc.property(fc.oneof(placed, anyValue), (value) => {
      const one = structuredClone(value);
      const other = structuredClone(value);
      assert.equal(validate_config(one), whole(other));
      assert.deepEqual(one, other);
      const told = (errors: typeof validate_config.errors) =>
        (errors ?? []).map(({ instancePath, keyword, params }) => JSON.stringify([instancePath, keyword, params]));
      // the validator of AJV is typed with more than is compared here
      assert.deepEqual(
        told(validate_config.errors).toSorted(),
        told(whole.errors as typeof validate_config.errors).toSorted(),
      );
    }),
    { numRuns: 1000 },
  );
});

function place(all: object, [first = "", ...rest]: string[], value: unknown): object {
  const name = first === "*" ? "any" : first;
  const inner: unknown = (all as Record<string, unknown>)[name];
  const child = typeof inner === "object" && inner !== null && !Array.isArray(inner) ? inner : {};
  return { ...all, [name]: rest.length === 0 ? value : place(child, rest, value) };
}

test("the schema in parts is the same for the same schema", () => {
  assert.equal(JSON.stringify(splitSchema(configSchema as Node)), JSON.stringify(splitSchema(configSchema as Node)));
});
