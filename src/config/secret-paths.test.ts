import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { readConfigKeys } from "../settings/key-table.ts";
import { createSecretPaths, findKey, redactConfig, restoreSecrets } from "./secret-paths.ts";
import { placeholder } from "./substitute.ts";

const secrets = createSecretPaths();
const redact = (value: unknown) => redactConfig(value, secrets);

test("every key that is marked as a secret is replaced, wherever names or lists stand in its path", () => {
  const marked = [...readConfigKeys()].filter(([, row]) => row.isSecret).map(([path]) => path);
  assert.ok(marked.length > 10);
  for (const path of marked) {
    const parts = path.split(".").map((part) => (part === "*" ? "mine" : part === "[]" ? "0" : part));
    assert.ok(secrets.isSecret(parts, "canary"), path);
    assert.ok(secrets.isSecret(parts, 4711), `${path} with a number`);
  }
});

test("what a section that nobody knows holds is judged by its names and its form", () => {
  assert.deepEqual(redact({ channels: { discord: { token: "plain words", enabled: true, guild: "7" } } }), {
    channels: { discord: { token: placeholder, enabled: true, guild: "7" } },
  });
  const url = "https://me:hunter22@example.org/v1";
  assert.deepEqual(redact({ models: { providers: { a: { baseUrl: url } } } }), {
    models: { providers: { a: { baseUrl: placeholder } } },
  });
});

test("a pointer to a variable, a mode and a limit are no secrets", () => {
  const shown = {
    gateway: { auth: { mode: "token", token: "${GATEWAY_TOKEN}" }, port: 1 },
    channels: { telegram: { tokenFile: "/run/token", allowFrom: [123456789] } },
  };
  assert.deepEqual(redact(shown), shown);
});

test("a key of the user's own choosing is found through the wildcard, one with a row of its own by that", () => {
  const keys = readConfigKeys();
  assert.equal(findKey(keys, ["env", "MY_VALUE"])?.isSecret, true);
  assert.equal(findKey(keys, ["env", "vars"])?.isSecret, false);
  assert.equal(findKey(keys, ["agents", "list", "3", "id"])?.reload, "none");
  assert.equal(findKey(keys, ["nothing", "here"]), undefined);
});

test("what was redacted comes back as it was, whatever else changed beside it", () => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/u);
  const plain = { noNullPrototype: true };
  const config = fc.record(
    {
      gateway: fc.record({ auth: fc.record({ token: word, password: word }, plain), port: fc.nat() }, plain),
      env: fc.dictionary(word, word, plain),
      models: fc.record({ providers: fc.dictionary(word, fc.record({ apiKey: word }, plain), plain) }, plain),
    },
    plain,
  );
  fc.assert(
    fc.property(config, fc.nat(), (value, port) => {
      const sent = structuredClone(redact(value)) as typeof value;
      assert.deepEqual(sent.gateway.auth, { token: placeholder, password: placeholder });
      sent.gateway.port = port;
      const restored = restoreSecrets(sent, value);
      assert.deepEqual(restored.missing, []);
      assert.deepEqual(restored.value, { ...value, gateway: { ...value.gateway, port } });
    }),
  );
});

test("items of a list are found by their id, and a placeholder without anything to keep is named", () => {
  const current = {
    models: [
      { id: "a", headers: { "x-key": "1" } },
      { id: "b", headers: { "x-key": "2" } },
    ],
  };
  const moved = { models: [{ id: "b", headers: { "x-key": placeholder } }] };
  assert.deepEqual(restoreSecrets(moved, current).value, { models: [{ id: "b", headers: { "x-key": "2" } }] });
  const unknown = { models: [{ id: "c", headers: { "x-key": placeholder } }] };
  assert.deepEqual(restoreSecrets(unknown, current).missing, [["models", "0", "headers", "x-key"]]);
});
