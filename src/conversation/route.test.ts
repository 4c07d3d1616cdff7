import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { Fault } from "../base/fault.ts";
import type { Inbound } from "../ports/message.ts";
import { decideRoute, widenSessionKey, type Binding, type RoutePolicy } from "./route.ts";

const policy: RoutePolicy = {
  dmScope: "per-channel-peer",
  scope: "per-sender",
  agentIds: ["main", "work"],
  defaultAgentId: "main",
  bindings: [],
};
const inbound: Inbound = {
  channel: "telegram",
  account: "default",
  eventId: "1",
  chat: { kind: "direct", id: "42" },
  sender: { id: "42" },
  text: "hi",
  trust: "channel",
};

test("each scope of direct messages has its own key", () => {
  const keyOf = (dmScope: RoutePolicy["dmScope"]) => decideRoute(inbound, { ...policy, dmScope }).sessionKey;
  assert.equal(keyOf("main"), "agent:main:main");
  assert.equal(keyOf("per-peer"), "agent:main:dm:42");
  assert.equal(keyOf("per-channel-peer"), "agent:main:telegram:dm:42");
  assert.equal(keyOf("per-account-channel-peer"), "agent:main:telegram:default:dm:42");
});

test("groups and topics have sessions of their own", () => {
  const group: Inbound = { ...inbound, chat: { kind: "group", id: "-100", threadId: "7" } };
  assert.equal(decideRoute(group, policy).sessionKey, "agent:main:telegram:group:-100:topic:7");
});

test("the most specific binding wins, wherever it stands in the list", () => {
  const wide: Binding = { agentId: "work", match: { channel: "telegram", accountId: "*" } };
  const peer: Binding = { agentId: "main", match: { channel: "telegram", peer: { kind: "dm", id: "42" } } };
  assert.equal(decideRoute(inbound, { ...policy, bindings: [wide, peer] }).matchedBy, "binding.peer");
  assert.equal(decideRoute(inbound, { ...policy, bindings: [wide] }).agentId, "work");
});

test("routing is total and deterministic, and names only agents that exist", () => {
  const bindings = fc.array(
    fc.record({
      agentId: fc.constantFrom("main", "work", "gone"),
      match: fc.record(
        {
          channel: fc.constantFrom("telegram", "whatsapp"),
          accountId: fc.constantFrom("*", "default", "other"),
          peer: fc.record({
            kind: fc.constantFrom("dm" as const, "group" as const),
            id: fc.constantFrom("42", "-100"),
          }),
        },
        { requiredKeys: ["channel"] },
      ),
    }),
  );
  const messages = fc.record({
    kind: fc.constantFrom("direct" as const, "group" as const),
    id: fc.string({ maxLength: 40 }),
    sender: fc.string({ maxLength: 40 }),
  });
  fc.assert(
    fc.property(bindings, messages, (list, message) => {
      const one: Inbound = { ...inbound, chat: { kind: message.kind, id: message.id }, sender: { id: message.sender } };
      const route = decideRoute(one, { ...policy, bindings: list });
      assert.deepEqual(decideRoute(one, { ...policy, bindings: list }), route);
      assert.ok(policy.agentIds.includes(route.agentId));
      assert.ok(route.sessionKey.startsWith(`agent:${route.agentId}:`));
    }),
  );
});

test("shorthand widens to the main session, bare words get the default agent", () => {
  assert.equal(widenSessionKey("", policy), "agent:main:main");
  assert.equal(widenSessionKey("main", policy), "agent:main:main");
  assert.equal(widenSessionKey("Notes", policy), "agent:main:notes");
  assert.equal(widenSessionKey("agent:work:main", policy), "agent:work:main");
  assert.equal(widenSessionKey("main", { ...policy, scope: "global" }), "global");
  assert.throws(() => widenSessionKey("agent:", policy), Fault);
});
