import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { knownSecrets, parseRedactPatterns, redactText } from "./redact.ts";

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
  ["quoted value with blanks", (secret) => `password: "correct, horse ${secret}"`],
  ["JSON field with blanks", (secret) => JSON.stringify({ password: `a b, "c" \\ ${secret}`, next: 1 })],
  ["escaped JSON with blanks", (secret) => JSON.stringify(JSON.stringify({ clientSecret: `a "b" ${secret}` }))],
  ["basic header", (secret) => `authorization: Basic ${secret}==`],
  ["cookie", (secret) => `Cookie: session=${secret}`],
  ["key variable", (secret) => `export STRIPE_KEY="${secret}"`],
  ["flag with its own name", (secret) => `run --bot-token=${secret}`],
  ["user and password in a URL", (secret) => `https://me:${secret}@proxy.example:8080/x`],
  ["bot URL, encoded", (secret) => `https://api.telegram.org/bot123456789%3A${secret}/getMe`],
  ["key of a cloud", () => `AKIAIOSFODNN7EXAMPLE`],
  ["web token", (secret) => `got eyJhbGciOiJIUzI1NiJ9.${secret}.${secret}`],
  ["PEM", (secret) => `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`],
  ["PEM without its end", (secret) => `-----BEGIN RSA PRIVATE KEY-----\n${secret}`],
];

for (const [name, form] of forms) {
  test(`a secret as ${name} never survives`, () => {
    fc.assert(
      fc.property(word, fc.string({ maxLength: 10 }), (secret, around) => {
        const text = redactText(`${around} ${form(secret)} ${around}`);
        assert.ok(!text.includes(secret) && !text.includes("IOSFODNN7"), text);
      }),
    );
  });
}

test("ordinary words stay", () => {
  const text = 'the token was accepted; {"message":"listening on ws://127.0.0.1:18789","ms":12,"tokens":42}';
  assert.equal(redactText(text), text);
});

test("what is said about secrets stays", () => {
  for (const text of [
    '{"hasToken":false,"password":null,"tokens":4096}',
    "session agent:main:telegram:123456 has maxTokens=8000",
    "see https://example.com:8080/a@b",
    "turn 3 of run 1f0e took 1200 ms",
  ])
    assert.equal(redactText(text), text);
});

test("a long text of any kind is masked in linear time", () => {
  const pieces = [
    "a",
    "1",
    "A_",
    " ",
    "-",
    "token",
    "token ",
    "token:",
    "//",
    "//a:",
    "bot1",
    "-----BEGIN ",
    "\\",
    '"',
    'token="',
  ];
  for (const piece of pieces) {
    const text = piece.repeat(Math.ceil(200_000 / piece.length));
    const startedAt = performance.now();
    redactText(text);
    const ms = performance.now() - startedAt;
    assert.ok(ms < 1_000, `${JSON.stringify(piece)}: ${Math.round(ms)} ms`);
  }
});

test("the user's own patterns are masked too, and broken ones are left out", () => {
  assert.equal(redactText("id ACME-1234", parseRedactPatterns(["ACME-\\d+", "(", "/beta/i"])), "id ***");
});

test("a known secret never survives, whatever its form and wherever it stands", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 8, maxLength: 40 }), fc.string({ maxLength: 20 }), (secret, around) => {
      const pattern = knownSecrets([secret, "another-secret"]);
      assert.ok(pattern);
      const written = [
        secret,
        encodeURIComponent(secret),
        JSON.stringify(secret),
        Buffer.from(secret).toString("base64"),
      ];
      for (const form of written) {
        const text = redactText(`${around}${form}${around}`, [pattern]);
        assert.ok(!text.includes(form), text);
      }
    }),
  );
});

test("of two known secrets that begin alike, nothing of the longer one is left", () => {
  const pattern = knownSecrets(["secret-one", "secret-one-and-more"]);
  assert.equal(redactText("x secret-one-and-more y", pattern ? [pattern] : []), "x *** y");
});

test("nothing is known of words, and a sentence that names a flag stays", () => {
  assert.equal(knownSecrets(["", "short"]), undefined);
  const text = "pass --token or --password, or give --token in a file";
  assert.equal(redactText(text), text);
  assert.equal(redactText("run --token or1234 --password=and"), "run --token *** --password=***");
});

test("what is said of a key that holds a secret can be read", () => {
  for (const said of [
    "gateway.auth.token: must be string; write a text",
    "gateway.auth.password: must not be empty; see docs/configuration.md",
    "channels.telegram.botToken: unknown key; did you mean botToken?",
    "gateway.auth.token: this stands for a secret and is none; write the secret itself",
    "gateway.auth.token: its file can be read by others on this machine: /x; chmod 600 /x",
    "gateway.auth.token: the environment variable MY_TOKEN is not set; set MY_TOKEN",
  ])
    assert.equal(redactText(said), said);
  assert.equal(redactText("token: mustard and cheese"), "token: *** and cheese");
  assert.equal(redactText("password: must"), "password: ***");
});
