// May this message cause a turn? A pure function of the message and a snapshot of the policy. Ids match exactly; an empty
// list and anything unknown mean no (S31, S32).

import type { Inbound } from "../ports/message.ts";

export interface GatePolicy {
  readonly dmPolicy: "pairing" | "allowlist" | "open" | "disabled";
  /** Platform ids, each optionally with the channel's name before a colon; `*` is everybody. */
  readonly allowFrom: readonly (string | number)[];
  readonly groupPolicy: "open" | "allowlist" | "disabled";
  /** Absent: `allowFrom` is used. */
  readonly groupAllowFrom?: readonly (string | number)[];
  /** Absent: every group is eligible; present: only the ids named, or `*`. */
  readonly groups?: Readonly<Record<string, { readonly requireMention?: boolean; readonly enabled?: boolean }>>;
  /** Set for this group's session by a client; goes before the group's own. */
  readonly activation?: "mention" | "always";
}

export type Verdict =
  | { readonly verdict: "accepted" }
  | { readonly verdict: "pairing" }
  | { readonly verdict: "dropped"; readonly reason: string };

const accepted: Verdict = { verdict: "accepted" };
const dropped = (reason: string): Verdict => ({ verdict: "dropped", reason });

/** `isPaired`: the sender's id has been approved on this channel and account. */
export function decideGate(inbound: Inbound, policy: GatePolicy, isPaired: boolean): Verdict {
  if (inbound.trust === "operator") return accepted;
  if (inbound.sender.id === "") return dropped("sender-unknown");
  return inbound.chat.kind === "direct" ? decideDirect(inbound, policy, isPaired) : decideGroup(inbound, policy);
}

/**
 * Whether the owner of the Gateway said it, who may have the agent manage it: a client that is an administrator, or somebody in a direct
 * chat whose id the config itself lists. Who was let in by a code, by `*` or in a group is a guest (S11).
 */
export function isOwners({ trust, isAdmin, chat, channel, sender }: Inbound, policy: GatePolicy): boolean {
  if (trust === "operator") return isAdmin === true;
  if (chat.kind !== "direct" || sender.id === "") return false;
  return policy.allowFrom.some((entry) => stripChannel(String(entry).trim(), channel) === sender.id);
}

function decideDirect(inbound: Inbound, policy: GatePolicy, isPaired: boolean): Verdict {
  const isListed = isInList(policy.allowFrom, inbound.channel, inbound.sender.id);
  switch (policy.dmPolicy) {
    case "disabled":
      return dropped("dm-disabled");
    case "open":
      return policy.allowFrom.includes("*") ? accepted : dropped("dm-open-without-wildcard");
    case "allowlist":
      return isListed || isPaired ? accepted : dropped("dm-not-in-allowlist");
    case "pairing":
      return isListed || isPaired ? accepted : { verdict: "pairing" };
  }
}

function decideGroup(inbound: Inbound, policy: GatePolicy): Verdict {
  if (policy.groupPolicy === "disabled") return dropped("groups-disabled");

  const settings = groupSettings(inbound.chat.id, policy);
  if (!settings) return dropped("group-not-listed");
  const { enabled = true, requireMention = true } = settings;
  if (!enabled) return dropped("group-disabled");
  if (!isGroupSender(inbound, policy)) return dropped("group-sender-not-in-allowlist");
  const isMentionNeeded = policy.activation ? policy.activation === "mention" : requireMention;
  return isMentionNeeded && inbound.isMentioned !== true ? dropped("not-mentioned") : accepted;
}

/** Without a list every group has the defaults; with one, only the groups named in it. */
function groupSettings(chatId: string, { groups }: GatePolicy) {
  return groups ? (groups[chatId] ?? groups["*"]) : {};
}

function isGroupSender({ channel, sender }: Inbound, policy: GatePolicy): boolean {
  return policy.groupPolicy === "open" || isInList(policy.groupAllowFrom ?? policy.allowFrom, channel, sender.id);
}

/** Names (`@someone`) never match: their owner can change them. */
function isInList(list: readonly (string | number)[], channel: string, senderId: string): boolean {
  return list.some((entry) => {
    const text = String(entry).trim();
    return text === "*" || stripChannel(text, channel) === senderId;
  });
}

function stripChannel(entry: string, channel: string): string {
  const prefixes = channel === "telegram" ? ["telegram:", "tg:"] : [`${channel}:`];
  const prefix = prefixes.find((candidate) => entry.toLowerCase().startsWith(candidate));
  return prefix ? entry.slice(prefix.length) : entry;
}
