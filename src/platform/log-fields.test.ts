import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { toPlainFields, toPlainText } from "./log-fields.ts";

const canary = "Zq7Canary0Secret0Zq7";

test("whatever is under a secret's name is masked, at any depth and in any container", () => {
  const plain = toPlainFields({
    botToken: `${canary} with blanks`,
    config: { list: [{ password: canary, apiKeys: [canary], secret: { inner: { deep: canary } } }] },
    map: new Map([["OPENAI_API_KEY", canary]]),
    set: new Set([`token=${canary}`]),
    args: ["--port", "1", "--token", canary],
    url: new URL(`https://me:${canary}@host/?token=${canary}`),
    bytes: Buffer.from(canary),
    error: new Error("outer", { cause: new AggregateError([new Error(`Bearer ${canary}`)], `password=${canary}`) }),
    [`token=${canary}`]: 1,
    pin: { password: 12345678 },
  });
  const text = JSON.stringify(plain);
  assert.ok(!text.includes(canary), text);
  assert.ok(!text.includes(Buffer.from(canary).toString("base64")) && !text.includes("12345678"), text);
});

test("what says something about secrets is kept", () => {
  const fields = { hasToken: false, token: null, tokens: 42, usage: { tokens: { input: 1, output: 2 } }, password: "" };
  assert.deepEqual(toPlainFields(fields), fields);
});

test("fields cannot take the place of the line's own keys", () => {
  assert.deepEqual(toPlainFields({ level: "high", time: 1, message: "m", subsystem: "s", port: 2 }), {
    level_: "high",
    time_: 1,
    message_: "m",
    subsystem_: "s",
    port: 2,
  });
});

test("an error is its message, code and causes, with the places it came from", () => {
  const cause = Object.assign(new Error("inner"), { code: "ECONNRESET" });
  const { error } = toPlainFields({ error: new Error("outer\nsecond line", { cause }) });
  const { stack, ...rest } = error as Record<string, unknown>;
  assert.deepEqual(rest, {
    name: "Error",
    message: "outer\nsecond line",
    cause: { name: "Error", message: "inner", code: "ECONNRESET" },
  });
  assert.match(String(stack), /^\s+at .*log-fields\.test\.ts/u);
});

test("any value at all becomes JSON of a bounded size, and nothing throws", () => {
  const cyclic: Record<string, unknown> = { big: 10n, fn: () => 1, symbol: Symbol("s"), date: new Date(Number.NaN) };
  cyclic["self"] = cyclic;
  const wide = Array.from({ length: 300 }, () => Array.from({ length: 300 }, () => "x".repeat(1_000)));
  const hostile = {
    get broken() {
      throw new Error("no");
    },
  };
  assert.ok(JSON.stringify(toPlainFields({ cyclic, wide })).length < 1_000_000);
  assert.deepEqual(toPlainFields(hostile), { unreadable: "no" });
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true, withMap: true })),
      (fields) => {
        JSON.stringify(toPlainFields(fields));
      },
    ),
  );
});

test("a long text is cut after masking: half a secret at the end does not survive", () => {
  const cut = toPlainText(`${"x ".repeat(3_990)}sk-${canary.repeat(3)}${" y".repeat(9_000)}`);
  assert.ok(cut.length < 8_100 && !cut.includes("Canary"), cut.slice(-100));
  assert.match(cut, /… \(\d+ characters\)$/u);
});
