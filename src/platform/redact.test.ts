import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { parseRedactPatterns, redactText } from "./redact.ts";

const word = fc.stringMatching(/^[A-Za-z0-9]{24}$/u);
const forms: readonly (readonly [string, (secret: string) => string])[] = [
  ["variable", (secret) => `OPENAI_API_KEY=${secret}`],
  ["JSON field", (secret) => JSON.stringify({ a: 1, accessToken: secret, b: "x" })],
  ["escaped JSON", (secret) => JSON.stringify({ line: JSON.stringify({ password: secret }) })],
  ["header", (secret) => `Authorization: Bearer ${secret}`],
  ["flag", (secret) => `run --token ${secret} --verbose`],
  ["query", (secret) => `GET /hooks?token=${secret}&x=1`],
  ["bot URL", (secret) => `https://api.telegram.org/bot123456789:${secret}abcdef/getMe`],
  ["bot token", (secret) => `token 123456789:${secret}abcdef is wrong`],
  ["vendor key", (secret) => `key sk-${secret} refused`],
  ["PEM", (secret) => `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`],
];

for (const [name, form] of forms) {
  test(`a secret as ${name} never survives`, () => {
    fc.assert(
      fc.property(word, fc.string({ maxLength: 10 }), (secret, around) => {
        const text = redactText(`${around} ${form(secret)} ${around}`);
        assert.ok(!text.includes(secret), text);
      }),
    );
  });
}

test("ordinary words stay", () => {
  const text = 'the token was accepted; {"message":"listening on ws://127.0.0.1:18789","ms":12,"tokens":42}';
  assert.equal(redactText(text), text);
});

test("the user's own patterns are masked too, and broken ones are left out", () => {
  assert.equal(redactText("id ACME-1234", parseRedactPatterns(["ACME-\\d+", "(", "/beta/i"])), "id ***");
});
