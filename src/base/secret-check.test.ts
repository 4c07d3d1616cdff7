import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { createSecretCheck } from "./secret-check.ts";

test("only the very same text is the secret", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: "grapheme" }), fc.string({ unit: "grapheme" }), (secret, other) => {
      const isSecret = createSecretCheck(secret);
      assert.equal(isSecret(secret), true);
      assert.equal(isSecret(other), other === secret);
      assert.equal(isSecret(`${secret} `), false);
    }),
  );
});

test("texts of any length can be compared", () => {
  const isSecret = createSecretCheck("short");
  assert.equal(isSecret(""), false);
  assert.equal(isSecret("x".repeat(100_000)), false);
});
