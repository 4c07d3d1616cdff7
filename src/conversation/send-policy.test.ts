import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { decideSend, type SendFacts, type SendRules } from "./send-policy.ts";

const facts: SendFacts = { key: "agent:main:telegram:group:-1", channel: "telegram", chatType: "group" };
const action = fc.constantFrom("allow" as const, "deny" as const);
const match = fc.record(
  {
    channel: fc.constantFrom("telegram", "Telegram", "whatsapp"),
    chatType: fc.constantFrom("group", "direct"),
    keyPrefix: fc.constantFrom("telegram:", "agent:main:", "cron:"),
  },
  { requiredKeys: [] },
);
const rules: fc.Arbitrary<SendRules> = fc.record(
  { default: action, rules: fc.array(fc.record({ action, match }, { requiredKeys: ["action"] }), { maxLength: 5 }) },
  { requiredKeys: [] },
);

test("without rules everything is allowed; what is set for the session counts before all rules", () => {
  assert.equal(decideSend(facts, {}, undefined), "allow");
  fc.assert(fc.property(rules, action, (some, own) => assert.equal(decideSend(facts, some, own), own)));
});

test("one fitting denial is enough, whatever is allowed beside it and wherever it stands", () => {
  fc.assert(
    fc.property(rules, fc.nat(5), (some, at) => {
      const denial = { action: "deny" as const, match: { channel: "telegram" } };
      const list = (some.rules ?? []).toSpliced(at, 0, denial);
      assert.equal(decideSend(facts, { ...some, rules: list }, undefined), "deny");
    }),
  );
});

test("rules fit by channel, kind of chat and the key with or without its agent", () => {
  const decide = (rule: object, key = facts.key) =>
    decideSend({ ...facts, key }, { rules: [{ action: "deny", match: rule }] }, undefined);
  for (const rule of [
    {},
    { channel: "Telegram" },
    { chatType: "group" },
    { keyPrefix: "telegram:group" },
    { keyPrefix: "agent:main:" },
  ]) {
    assert.equal(decide(rule), "deny", JSON.stringify(rule));
  }
  for (const rule of [{ channel: "whatsapp" }, { channel: "telegram", chatType: "direct" }, { keyPrefix: "group" }]) {
    assert.equal(decide(rule), "allow", JSON.stringify(rule));
  }
  assert.equal(
    decideSend(facts, { default: "deny", rules: [{ action: "allow", match: { channel: "telegram" } }] }, undefined),
    "allow",
  );
  assert.equal(decideSend(facts, { default: "deny" }, undefined), "deny");
});
