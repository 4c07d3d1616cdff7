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

const accounts = fc.constantFrom("default", "work", "home");
const accountBindings = fc.array(
  fc.record({
    agentId: fc.constantFrom("main", "work", "gone"),
    match: fc.record(
      {
        channel: fc.constantFrom("telegram", "whatsapp"),
        accountId: fc.constantFrom("*", "default", "Work", "home"),
        peer: fc.record({ kind: fc.constantFrom("dm" as const, "group" as const), id: fc.constantFrom("42", "43") }),
        guildId: fc.constant("g"),
      },
      { requiredKeys: ["channel"] },
    ),
  }),
);

/** What the documentation says, word by word: the tiers in their order, the first of each that fits. */
function expectedRoute(account: string, bindings: readonly Binding[]): [agentId: string, matchedBy: string] {
  const fits = bindings.filter(
    ({ agentId, match }) =>
      agentId !== "gone" && match.channel === "telegram" && match.guildId === undefined && match.peer?.kind !== "group",
  );
  const names = ({ match }: Binding) => (match.accountId ?? "default").toLowerCase() === account;
  const isAny = ({ match }: Binding) => match.accountId === "*";
  const toUs = ({ match }: Binding) => match.peer === undefined || match.peer.id === "42";
  const tiers: [string, (binding: Binding) => boolean][] = [
    ["binding.peer", (binding) => binding.match.peer !== undefined && (names(binding) || isAny(binding))],
    ["binding.account", (binding) => binding.match.peer === undefined && names(binding)],
    ["binding.channel", (binding) => binding.match.peer === undefined && isAny(binding)],
  ];
  for (const [matchedBy, isOfTier] of tiers) {
    const found = fits.find((binding) => toUs(binding) && isOfTier(binding));
    if (found) return [found.agentId, matchedBy];
  }
  return ["main", "default"];
}

test("an account leads to the agent that its bindings name, in the order of peer, account, channel, default (OV-51)", () => {
  fc.assert(
    fc.property(accounts, accountBindings, (account, bindings) => {
      const route = decideRoute({ ...inbound, account }, { ...policy, bindings });
      assert.deepEqual([route.agentId, route.matchedBy], expectedRoute(account, bindings));
    }),
    { numRuns: 500 },
  );
});

test("bindings of other accounts change nothing for an account", () => {
  fc.assert(
    fc.property(accounts, accountBindings, (account, bindings) => {
      const concerned = bindings.filter(
        ({ match }) => match.accountId === "*" || (match.accountId ?? "default").toLowerCase() === account,
      );
      const route = (list: readonly Binding[]) => decideRoute({ ...inbound, account }, { ...policy, bindings: list });
      assert.deepEqual(route(bindings), route(concerned));
    }),
  );
});

test("accounts share a person's session unless the scope keeps them apart, and the default one's keys are what they were", () => {
  const keyOf = (account: string, dmScope: RoutePolicy["dmScope"]) =>
    decideRoute({ ...inbound, account }, { ...policy, dmScope }).sessionKey;
  assert.equal(keyOf("work", "per-channel-peer"), keyOf("default", "per-channel-peer"));
  assert.equal(keyOf("work", "per-account-channel-peer"), "agent:main:telegram:work:dm:42");
  assert.equal(keyOf("default", "per-account-channel-peer"), "agent:main:telegram:default:dm:42");
});

test("shorthand widens to the main session, bare words get the default agent", () => {
  assert.equal(widenSessionKey("", policy), "agent:main:main");
  assert.equal(widenSessionKey("main", policy), "agent:main:main");
  assert.equal(widenSessionKey("Notes", policy), "agent:main:notes");
  assert.equal(widenSessionKey("agent:work:main", policy), "agent:work:main");
  assert.equal(widenSessionKey("main", { ...policy, scope: "global" }), "global");
  assert.throws(() => widenSessionKey("agent:", policy), Fault);
});
