// Secrets are compared in one way only, by digests in constant time (gateway/auth/secret): nowhere in the Gateway does an operator or
// a lookup see one.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { readSources } from "../../scripts/rooms.ts";
import { root } from "../../scripts/run.ts";
import { blankText } from "../../scripts/source-text.ts";

const operand = String.raw`[\w$][\w$.?!\[\]]*(?:\(\))?`;
const comparison = new RegExp(
  `(typeof )?(${operand})\\s*(?:[=!]==?|(?<=\\s)[<>]=?(?=\\s))\\s*(${operand}|["'\`-])`,
  "gu",
);
const lookup = new RegExp(
  `\\.(?:includes|startsWith|endsWith|has|get|indexOf|localeCompare|search|match)\\((${operand})\\)`,
  "gu",
);
/** What a variable that holds a secret ends in. */
const holdsSecret = /(?:secret|token|password|passphrase|digest|presented)$/iu;
/** To be compared with these says nothing about what a secret holds. */
const harmless = /^(?:undefined|null|true|false|\d.*)$/u;

/** Fields of `connect.auth`: two of one caller's say nothing about ours. */
const isOfCaller = (name: string) => /^(?:token|password|deviceToken|bootstrapToken)$/u.test(name);

/** @returns the expressions that compare or look up a secret. */
function findComparisons(source: string): string[] {
  const text = blankText(source);
  const isSecret = (name: string) => holdsSecret.test(name.replaceAll(/\(\)|[?!]/gu, ""));
  const compared = [...text.matchAll(comparison)].filter(([, isTypeof, left = "", right = ""]) => {
    if (isTypeof || harmless.test(left) || harmless.test(right)) return false;
    if (isOfCaller(left) && isOfCaller(right)) return false;
    // a literal holds no secret: what is compared with it is a mode or an empty text
    return !/^["'`]/u.test(right) && (isSecret(left) || isSecret(right));
  });
  const lookedUp = [...text.matchAll(lookup)].filter(([, name = ""]) => isSecret(name));
  return [...compared, ...lookedUp].map(([expression]) => expression);
}

test("no source of the Gateway compares a secret by an operator or looks one up", () => {
  for (const { path, text } of readSources(join(root, "src", "gateway"))) {
    if (path.endsWith(".test.ts")) continue;
    assert.deepEqual(findComparisons(text), [], path);
  }
});

test("the search finds every way to compare, and nothing in harmless code", () => {
  for (const bad of [
    "if (token === expected) x();",
    "if (expected !== params.auth.token) x();",
    "return presented == secret;",
    "return auth?.password!== stored;",
    "ok = readToken() === given;",
    "tokens.includes(auth.token)",
    "byToken.get(token)",
    "if (secret < other) x();",
  ])
    assert.equal(findComparisons(bad).length, 1, bad);
  for (const good of [
    "if (token === undefined) x();",
    'if (mode === "token") x();',
    'if (auth.token === "") x();',
    'typeof token === "string"',
    "timingSafeEqual(digest(token), expected)",
    "// token === secret",
    '"token === secret"',
    "tokens.length === 0",
    "if (tokenCount === limit) x();",
    "if (token === deviceToken) x();",
  ])
    assert.deepEqual(findComparisons(good), [], good);
});
