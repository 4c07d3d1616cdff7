import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";
import JSON5 from "json5";

import { defaultConfig, parseConfig, renderProblem, type ConfigProblem } from "./parse.ts";
import { createPositions } from "./positions.ts";

const none = () => undefined;
const problemsOf = (text: string): readonly ConfigProblem[] => {
  const parsed = parseConfig(text, none);
  return "problems" in parsed ? parsed.problems : [];
};
const lineOf = (text: string) => problemsOf(text).map((problem) => renderProblem("f", problem));

test("an empty file is every default", () => {
  const config = defaultConfig();
  assert.equal(config.gateway.bind, "loopback");
  assert.equal(config.gateway.reload.mode, "hybrid");
  assert.equal(config.session.dmScope, "per-channel-peer");
  assert.equal(config.agents.defaults.timeoutSeconds, 600);
  for (const text of ["", "  \n", "// nothing\n{}", "\uFEFF{}"])
    assert.ok("config" in parseConfig(text, none), JSON.stringify(text));
});

test("an unknown key is named with its place and the key that was meant", () => {
  const text = `{\n  // a comment\n  channels: {\n    telegram: { dmPolcy: "open" },\n  },\n}`;
  assert.deepEqual(lineOf(text), ["f:4:17 channels.telegram.dmPolcy: unknown key; did you mean dmPolicy?"]);
  assert.match(lineOf("{ gatway: {} }")[0] ?? "", /f:1:3 gatway: unknown key; did you mean gateway\?/u);
});

test("a wrong value says what is allowed", () => {
  assert.deepEqual(lineOf('{ channels: { telegram: { dmPolicy: "everyone" } } }'), [
    "f:1:27 channels.telegram.dmPolicy: not an allowed value; use one of: pairing, allowlist, open, disabled",
  ]);
  assert.match(lineOf("{ gateway: { port: 70000 } }")[0] ?? "", /gateway\.port: must be <= 65535/u);
  assert.match(lineOf('{ gateway: { port: "x" } }')[0] ?? "", /gateway\.port: must be integer/u);
});

test("broken syntax is named with line and column", () => {
  assert.match(lineOf("{\n  gateway: {\n    port: 1,,\n  }\n}")[0] ?? "", /^f:3:13 not JSON5/u);
  assert.match(lineOf("{ a: ")[0] ?? "", /^f:1:\d+ not JSON5/u);
  assert.match(lineOf("[]")[0] ?? "", /must hold an object/u);
});

test("open needs the wildcard, and a blank secret is refused", () => {
  assert.match(lineOf('{ channels: { telegram: { dmPolicy: "open" } } }')[0] ?? "", /open needs "\*" in allowFrom/u);
  assert.deepEqual(lineOf('{ channels: { telegram: { dmPolicy: "open", allowFrom: ["*"] } } }'), []);
  assert.match(lineOf('{ gateway: { auth: { token: " " } } }')[0] ?? "", /must not be blank/u);
});

test("keys that would reach a prototype are refused at any depth", () => {
  for (const key of ["__proto__", "constructor", "prototype"]) {
    assert.match(lineOf(`{ env: { vars: { "${key}": "x" } } }`)[0] ?? "", /not allowed/u, key);
  }
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

test("variables are filled in, escaped ones are kept, missing ones are named", () => {
  const variable = (name: string) => (name === "TOKEN" ? "secret" : undefined);
  const parsed = parseConfig(
    '{ gateway: { auth: { token: "${TOKEN}" } }, messages: { responsePrefix: "$${TOKEN}" } }',
    variable,
  );
  assert.ok("config" in parsed);
  assert.equal(parsed.config.gateway.auth.token, "secret");
  assert.equal(parsed.config.messages.responsePrefix, "${TOKEN}");
  assert.match(lineOf('{ gateway: { auth: { token: "${MISSING}" } } }')[0] ?? "", /MISSING is not set/u);
});

test("sections of channels and plugins that are not built in are left alone", () => {
  assert.deepEqual(
    lineOf('{ channels: { discord: { token: "x" } }, plugins: { entries: { a: { config: { b: 1 } } } } }'),
    [],
  );
});

const key = fc.oneof(
  fc.stringMatching(/^[a-z]{1,5}$/u),
  fc.string({ maxLength: 6 }).filter((text) => text !== "__proto__"),
);
const document = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.integer(),
    fc.string({ maxLength: 8 }),
    fc.boolean(),
    fc.constant(null),
    tie("object"),
    fc.array(tie("value"), { maxLength: 3 }),
  ),
  object: fc.dictionary(key, tie("value"), { maxKeys: 4 }),
})).object;

/** Every path in the document. */
function paths(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [[...path, name], ...paths(inner, [...path, name])]);
}

test("the place of every key is where the key stands, in plain and in loose JSON5", () => {
  fc.assert(
    fc.property(document, fc.constantFrom("json", "json5"), (value, form) => {
      const plain =
        form === "json" ? JSON.stringify(value, undefined, 2) : JSON5.stringify(value, { space: "\t", quote: "'" });
      const text = `// first\n/* second\n */ ${plain} // last`;
      const position = createPositions(text);
      const lines = text.split("\n");
      for (const path of paths(value)) {
        const { line, column } = position(path);
        const rest = lines
          .slice(line - 1)
          .join("\n")
          .slice(column - 1);
        const name = path.at(-1) ?? "";
        const isItem = /^\d+$/u.test(name);
        const candidates = [
          JSON.stringify(name),
          name,
          `'${JSON.stringify(name)
            .slice(1, -1)
            .replaceAll("'", String.raw`\'`)
            .replaceAll(String.raw`\"`, '"')}'`,
        ];
        assert.ok(
          isItem || candidates.some((candidate) => rest.startsWith(candidate)) || /^['"]/u.test(rest),
          `${path.join(".")} at ${line}:${column}: ${rest.slice(0, 30)}`,
        );
      }
    }),
  );
});

test("no text makes the parser throw", () => {
  const pieces = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    '"',
    "'",
    "a",
    "1",
    "//",
    "/*",
    "*/",
    "\n",
    "\\",
    "gateway",
    "${X}",
    " ",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      parseConfig(parts.join(""), none);
    }),
    { numRuns: 500 },
  );
});
