import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { renderProblem, type ConfigProblem } from "./explain.ts";
import { defaultConfig, parseConfig } from "./parse.ts";

const none = () => undefined;
const problemsOf = (text: string): readonly ConfigProblem[] => {
  const parsed = parseConfig(text, none);
  return "problems" in parsed ? parsed.problems : [];
};
const lineOf = (text: string) => problemsOf(text).map((problem) => renderProblem("f", problem));

test("an empty object is every default", () => {
  const config = defaultConfig();
  assert.equal(config.gateway.bind, "loopback");
  assert.equal(config.gateway.reload.mode, "hybrid");
  assert.equal(config.session.dmScope, "per-channel-peer");
  assert.equal(config.agents.defaults.timeoutSeconds, 600);
  for (const text of ["{}", "// nothing\n{}", "\uFEFF{}"])
    assert.ok("config" in parseConfig(text, none), JSON.stringify(text));
});

test("an empty file is a save that was cut off, not a wish for the defaults", () => {
  for (const text of ["", "  \n", "\uFEFF"])
    assert.match(lineOf(text)[0] ?? "", /^f:1:1 the file is empty; restore it/u);
});

test("two configs never have a default in common", () => {
  const first = defaultConfig();
  first.gateway.controlUi.allowedOrigins.push("https://changed.example");
  first.agents.defaults.maxConcurrent = 1;
  assert.deepEqual(defaultConfig().gateway.controlUi.allowedOrigins, []);
  assert.equal(defaultConfig().agents.defaults.maxConcurrent, 4);
});

test("an account takes from its channel what it does not say", () => {
  const parsed = parseConfig('{ channels: { telegram: { dmPolicy: "disabled", accounts: { second: {} } } } }', none);
  assert.ok("config" in parsed);
  const { telegram } = parsed.config.channels;
  assert.deepEqual([telegram?.dmPolicy, telegram?.enabled, telegram?.allowFrom], ["disabled", true, []]);
  assert.deepEqual(telegram?.accounts?.["second"], {});
});

test("the group policy of all channels is not hidden by a default of one", () => {
  const parsed = parseConfig('{ channels: { defaults: { groupPolicy: "open" }, telegram: {} } }', none);
  assert.ok("config" in parsed);
  assert.equal(parsed.config.channels.telegram?.groupPolicy, undefined);
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
  assert.match(lineOf("{ gateway: { port: 70000 } }")[0] ?? "", /gateway\.port: must be at most 65535;/u);
  assert.match(lineOf('{ gateway: { port: "x" } }')[0] ?? "", /gateway\.port: must be integer/u);
});

test("a key that may have two forms gives one problem, about the form that was meant", () => {
  assert.deepEqual(lineOf('{ agents: { defaults: { model: { primry: "a/b" } } } }'), [
    "f:1:34 agents.defaults.model.primry: unknown key; did you mean primary?",
  ]);
  assert.deepEqual(lineOf("{ agents: { defaults: { model: 5 } } }"), [
    "f:1:25 agents.defaults.model: must be string or object; write it in one of these forms",
  ]);
  assert.deepEqual(lineOf("{ agents: { defaults: { model: { primary: 1, fallbacks: [true] } } } }").length, 2);
  assert.deepEqual(lineOf("{ channels: { telegram: { allowFrom: [1, {}] } } }"), [
    "f:1:42 channels.telegram.allowFrom.1: must be string or integer; write it in one of these forms",
  ]);
  for (const model of ['"a/b"', '{ primary: "a/b", fallbacks: ["c/d"] }'])
    assert.deepEqual(lineOf(`{ agents: { defaults: { model: ${model} } } }`), []);
});

test("keys of older programs count in their new places; where both say something, the older one is told", () => {
  assert.deepEqual(lineOf('{ telegram: {}, gateway: { token: "x" } }'), []);
  assert.deepEqual(lineOf('{ gateway: { token: "x", auth: { token: "y" } } }'), [
    "f:1:14 gateway.token: an older key, and gateway.auth.token says something else; keep one of the two and remove the other",
  ]);
  assert.match(lineOf("{ routing: { other: 1 } }")[0] ?? "", /routing: unknown key; /u);
});

test("parts in other files are refused in a text alone, at any depth, instead of being left out", () => {
  assert.match(lineOf('{ $include: "a.json5" }')[0] ?? "", /^f:1:3 \$include: \$include cannot be used here/u);
  assert.match(lineOf('{ agents: { $include: ["a", "b"] } }')[0] ?? "", /agents\.\$include: .* cannot be used here/u);
});

test("nesting without end is refused and exhausts no stack", () => {
  const deep = (levels: number) => `{ meta: ${"[".repeat(levels)}${"]".repeat(levels)} }`;
  assert.deepEqual(lineOf(deep(50)), []);
  assert.match(lineOf(deep(200_000))[0] ?? "", /nested deeper than 64 levels/u);
  assert.deepEqual(
    lineOf(`{ meta: "${"[".repeat(500)}" } // ${"{".repeat(500)}`),
    [],
    "brackets in texts do not count",
  );
});

test("two agents cannot have the same id or folder", () => {
  assert.match(
    lineOf('{ agents: { list: [{ id: "a" }, { id: "A" }] } }')[0] ?? "",
    /agents\.list\.1\.id: another agent/u,
  );
  assert.match(
    lineOf('{ agents: { list: [{ id: "a", agentDir: "/x" }, { id: "b", agentDir: "/x" }] } }')[0] ?? "",
    /agents\.list\.1\.agentDir: another agent/u,
  );
});

test("broken syntax is named with line and column", () => {
  assert.match(lineOf("{\n  gateway: {\n    port: 1,,\n  }\n}")[0] ?? "", /^f:3:13 not JSON5/u);
  assert.match(lineOf("{ a: ")[0] ?? "", /^f:1:\d+ not JSON5/u);
  assert.match(lineOf("[]")[0] ?? "", /must hold an object/u);
});

test("open needs the wildcard, and a blank secret is refused", () => {
  assert.match(lineOf('{ channels: { telegram: { dmPolicy: "open" } } }')[0] ?? "", /open needs "\*" in allowFrom/u);
  assert.deepEqual(lineOf('{ channels: { telegram: { dmPolicy: "open", allowFrom: ["*"] } } }'), []);
  assert.deepEqual(lineOf('{ channels: { telegram: { accounts: { Work: {}, home: {}, "work!": {} } } } }'), [
    "f:1:59 channels.telegram.accounts.work!: the same account as Work: both are called work; choose another name, or join the two",
  ]);
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

test("the file's own env section stands in for variables that the process does not have", () => {
  const text = '{ env: { A: "a", vars: { B: "b", EMPTY: "" } }, messages: { responsePrefix: "${A}${B}" } }';
  const prefix = (variable: (name: string) => string | undefined) => {
    const parsed = parseConfig(text, variable);
    return "config" in parsed ? parsed.config.messages.responsePrefix : parsed.problems[0]?.message;
  };
  assert.equal(prefix(none), "ab");
  assert.equal(
    prefix((name) => (name === "A" ? "process" : undefined)),
    "processb",
  );
  assert.match(
    lineOf('{ env: { EMPTY: "" }, messages: { responsePrefix: "${EMPTY}" } }')[0] ?? "",
    /EMPTY is not set/u,
  );
  assert.match(lineOf('{ messages: { responsePrefix: "${PATH_OF_NOBODY}${toString}" } }')[0] ?? "", /PATH_OF_NOBODY/u);
});

test("a tilde is the home folder where a key holds a path, and itself elsewhere", () => {
  const parsed = parseConfig(
    '{ agents: { defaults: { workspace: "~/w" } }, channels: { telegram: { tokenFile: "~", proxy: "~/p" } }, skills: { load: { extraDirs: ["~/s", "~x"] } } }',
    (name) => (name === "HOME" ? "/home/me" : undefined),
  );
  assert.ok("config" in parsed);
  assert.equal(parsed.config.agents.defaults.workspace, "/home/me/w");
  assert.equal(parsed.config.channels.telegram?.tokenFile, "/home/me");
  assert.equal(parsed.config.channels.telegram?.proxy, "~/p");
  assert.deepEqual(parsed.config.skills?.load?.extraDirs, ["/home/me/s", "~x"]);
});

test("no problem ever repeats a secret", () => {
  const canary = "s3cr3t-c4n4ry";
  const texts = [
    `{ gateway: { auth: { token: ["${canary}"] } } }`,
    `{ channels: { telegram: { botToken: { a: "${canary}" }, dmPolicy: "${canary}" } } }`,
    `{ models: { providers: { x: { apiKey: 1, headers: { a: ["${canary}"] } } } } }`,
  ];
  for (const text of texts) {
    const lines = lineOf(text);
    assert.ok(lines.length > 0, text);
    assert.ok(!lines.join("\n").includes(canary), lines.join("\n"));
  }
});

test("sections of channels and plugins that are not built in are left alone", () => {
  assert.deepEqual(
    lineOf('{ channels: { discord: { token: "x" } }, plugins: { entries: { a: { config: { b: 1 } } } } }'),
    [],
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
