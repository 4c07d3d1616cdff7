import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { parseSessionKey } from "../../base/ids.ts";
import { Fault } from "../../base/fault.ts";
import type { SessionChange } from "../store/sessions.ts";
import { decidePatch, type PatchParams, type PatchOptions } from "./settings.ts";

const empty: PatchOptions["current"] = {
  key: parseSessionKey("agent:main:main"),
  label: undefined,
  spawnedBy: undefined,
  settings: {},
};
const patch = (params: Omit<PatchParams, "key">, current: PatchOptions["current"] = empty): SessionChange =>
  decidePatch(
    { key: "main", ...params },
    {
      current,
      resolveModel: (text) =>
        text.startsWith("good/") ? { ref: text } : { reason: "unknown provider", next: "set it up" },
      widen: (key) => `agent:main:${key}`,
    },
  );
const refusal = (params: Omit<PatchParams, "key">, current?: PatchOptions["current"]) => {
  try {
    patch(params, current);
  } catch (error) {
    if (error instanceof Fault) return error;
  }
  return assert.fail("it was accepted");
};

test("each setting takes its words, in any case, and null clears it", () => {
  const all: Record<string, readonly string[]> = {
    thinkingLevel: ["off", "minimal", "low", "medium", "high", "xhigh"],
    verboseLevel: ["on", "off", "full"],
    reasoningLevel: ["on", "off", "stream"],
    responseUsage: ["off", "tokens", "full", "on"],
    elevatedLevel: ["on", "off", "ask", "full"],
    execHost: ["sandbox", "gateway", "node"],
    execSecurity: ["deny", "allowlist", "full"],
    execAsk: ["off", "on-miss", "always"],
    execNode: ["desk"],
    sendPolicy: ["allow", "deny"],
    groupActivation: ["mention", "always"],
    model: ["good/model"],
  };
  for (const [name, words] of Object.entries(all)) {
    for (const word of words) {
      const { settings } = patch({ [name]: ` ${word} ` });
      assert.deepEqual(settings, { [name]: word });
      const cleared = patch({ [name]: null }, { ...empty, settings }).settings;
      assert.equal(JSON.stringify(cleared), "{}");
    }
    if (name !== "execNode" && name !== "model")
      assert.deepEqual(patch({ [name]: words[0]?.toUpperCase() }).settings, { [name]: words[0] });
  }
});

test("what is not named stays", () => {
  const current = { ...empty, label: "Work", settings: { thinkingLevel: "low", execNode: "desk" } };
  const changed = patch({ verboseLevel: "on" }, current);
  assert.deepEqual(changed, {
    label: "Work",
    spawnedBy: undefined,
    settings: { ...current.settings, verboseLevel: "on" },
  });
});

test("unknown words are refused with those that are known", () => {
  const texts: [Omit<PatchParams, "key">, string][] = [
    [{ thinkingLevel: "deep" }, "invalid thinkingLevel (use off|minimal|low|medium|high|xhigh)"],
    [{ verboseLevel: "loud" }, 'invalid verboseLevel (use "on"|"off")'],
    [{ reasoningLevel: "x" }, 'invalid reasoningLevel (use "on"|"off"|"stream")'],
    [{ execAsk: "" }, 'invalid execAsk (use "off"|"on-miss"|"always")'],
    [{ sendPolicy: "no" }, 'invalid sendPolicy (use "allow"|"deny")'],
    [{ execNode: " " }, "invalid execNode: empty"],
    [{ label: " " }, "invalid label: empty"],
    [{ model: "" }, "invalid model: empty"],
    [{ model: "bad/model" }, "model not allowed: bad/model (unknown provider)"],
  ];
  for (const [params, message] of texts) {
    const fault = refusal(params);
    assert.equal(fault.message, message);
    assert.equal(fault.code, "invalid_params");
    assert.equal(fault.field, Object.keys(params)[0]);
  }
});

test("a sub-agent has one parent, for ever; other sessions have none", () => {
  const child = { ...empty, key: parseSessionKey("agent:main:subagent:1") };
  assert.equal(patch({ spawnedBy: "main" }, child).spawnedBy, "agent:main:main");
  const owned = { ...child, spawnedBy: "agent:main:main" };
  assert.equal(patch({ spawnedBy: "main" }, owned).spawnedBy, "agent:main:main");
  assert.equal(refusal({ spawnedBy: "other" }, owned).message, "spawnedBy cannot be changed once set");
  assert.equal(refusal({ spawnedBy: null }, owned).message, "spawnedBy cannot be cleared once set");
  assert.equal(refusal({ spawnedBy: "main" }).message, "spawnedBy is only supported for subagent:* sessions");
  assert.equal(patch({ spawnedBy: null }).spawnedBy, undefined);
});

test("whatever is asked for, only known words are stored", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("thinkingLevel", "verboseLevel", "execHost", "sendPolicy", "groupActivation"),
      fc.string({ maxLength: 20 }),
      (name, word) => {
        try {
          const { settings } = patch({ [name]: word });
          assert.match(JSON.stringify(settings), /^\{"[a-zA-Z]+":"[a-z-]+"\}$/u);
        } catch (error) {
          assert.ok(error instanceof Fault);
        }
      },
    ),
  );
});
