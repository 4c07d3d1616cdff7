import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { parsePresenceText, renderNodeText } from "./presence-text.ts";

test("what is written can be read again", () => {
  const word = fc.stringMatching(/^[A-Za-z0-9.-]{1,20}$/u);
  fc.assert(
    fc.property(word, word, word, word, word, (host, ip, version, mode, reason) => {
      const text = renderNodeText({ host, ip, version, mode, reason });
      assert.deepEqual(parsePresenceText(text), { host, ip, version, mode, reason });
    }),
  );
});

test("texts of any other form give nothing, and no text takes long", () => {
  assert.deepEqual(parsePresenceText("hello"), {});
  assert.deepEqual(parsePresenceText("Node:"), {});
  fc.assert(fc.property(fc.string(), (text) => void parsePresenceText(`Node: ${text}`)));
  const startedAt = performance.now();
  parsePresenceText(`Node: ${" (".repeat(50_000)}`);
  parsePresenceText(`Node: ${" ".repeat(100_000)}x`);
  parsePresenceText(`Node: a${" · mode ".repeat(20_000)}`);
  assert.ok(performance.now() - startedAt < 500);
});
