import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import type { Inbound } from "../ports/message.ts";
import { decideGate, isOwners, type GatePolicy } from "./gate.ts";

const direct: Inbound = {
  channel: "telegram",
  account: "default",
  eventId: "1",
  chat: { kind: "direct", id: "42" },
  sender: { id: "42", username: "mallory" },
  text: "hello",
  trust: "channel",
};
const group: Inbound = { ...direct, chat: { kind: "group", id: "-100" }, isMentioned: true };
const base: GatePolicy = { dmPolicy: "pairing", allowFrom: [], groupPolicy: "allowlist" };

test("an unknown sender gets a pairing code, an approved one is let in", () => {
  assert.deepEqual(decideGate(direct, base, false), { verdict: "pairing" });
  assert.deepEqual(decideGate(direct, base, true), { verdict: "accepted" });
});

test("ids in the list match exactly, with or without the channel's name in front", () => {
  for (const entry of [42, "42", "telegram:42", "tg:42", " TG:42 "]) {
    assert.equal(decideGate(direct, { ...base, allowFrom: [entry] }, false).verdict, "accepted", String(entry));
  }
  for (const entry of [4, "4", "420", "whatsapp:42", "", "telegram:"]) {
    assert.equal(decideGate(direct, { ...base, allowFrom: [entry] }, false).verdict, "pairing", String(entry));
  }
});

test("a name never lets anybody in, because its owner can change it", () => {
  assert.equal(decideGate(direct, { ...base, allowFrom: ["@mallory", "mallory"] }, false).verdict, "pairing");
});

test("open means open only with the wildcard written down", () => {
  assert.equal(decideGate(direct, { ...base, dmPolicy: "open" }, false).verdict, "dropped");
  assert.equal(decideGate(direct, { ...base, dmPolicy: "open", allowFrom: ["*"] }, false).verdict, "accepted");
});

test("pairing opens direct chats, never groups", () => {
  assert.deepEqual(decideGate(group, base, true), { verdict: "dropped", reason: "group-sender-not-in-allowlist" });
});

test("a group is answered only when listed and when we are addressed", () => {
  const policy: GatePolicy = { ...base, groupAllowFrom: ["42"], groups: { "-100": {} } };
  assert.equal(decideGate(group, policy, false).verdict, "accepted");
  assert.equal(decideGate({ ...group, isMentioned: false }, policy, false).verdict, "dropped");
  assert.equal(decideGate({ ...group, chat: { kind: "group", id: "-200" } }, policy, false).verdict, "dropped");
  const relaxed: GatePolicy = { ...policy, groups: { "-100": { requireMention: false } } };
  assert.equal(decideGate({ ...group, isMentioned: false }, relaxed, false).verdict, "accepted");
});

test("a group's id in the sender list lets nobody in", () => {
  assert.equal(decideGate(group, { ...base, groupAllowFrom: ["-100"] }, false).verdict, "dropped");
});

const policies: fc.Arbitrary<GatePolicy> = fc.record({
  dmPolicy: fc.constantFrom("pairing" as const, "allowlist" as const, "open" as const, "disabled" as const),
  allowFrom: fc.array(fc.oneof(fc.constantFrom("*", "42", "tg:42", "@mallory"), fc.string(), fc.integer())),
  groupPolicy: fc.constantFrom("open" as const, "allowlist" as const, "disabled" as const),
});

test("a stranger without an id is never let in", () => {
  fc.assert(
    fc.property(policies, fc.boolean(), (policy, isPaired) => {
      assert.notEqual(decideGate({ ...direct, sender: { id: "" } }, policy, isPaired).verdict, "accepted");
    }),
  );
});

test("adding somebody else to the list never changes what happens to this sender", () => {
  fc.assert(
    fc.property(policies, fc.integer({ min: 43 }), fc.boolean(), (policy, other, isPaired) => {
      const wider = { ...policy, allowFrom: [...policy.allowFrom, other] };
      assert.deepEqual(decideGate(direct, wider, isPaired), decideGate(direct, policy, isPaired));
    }),
  );
});

test("the owner is an administrator's client, or whom the config lists by id in a direct chat; everybody else is a guest (S11)", () => {
  const listed = { ...base, allowFrom: ["tg:42"] };
  assert.equal(isOwners(direct, listed), true);
  assert.equal(isOwners(group, { ...listed, allowFrom: [42, "42"] }), false);
  for (const allowFrom of [[], ["*"], ["@mallory"], [4], [""]])
    assert.equal(isOwners(direct, { ...base, allowFrom }), false);
  assert.equal(isOwners({ ...direct, sender: { id: "" } }, { ...base, allowFrom: [""] }), false);
  const client: Inbound = { ...direct, trust: "operator" };
  assert.equal(isOwners(client, listed), false, "a list of a channel is not one of clients");
  assert.equal(isOwners({ ...client, isAdmin: true }, base), true);
  assert.equal(isOwners({ ...direct, isAdmin: true }, base), false, "a channel's message cannot say it of itself");
});
