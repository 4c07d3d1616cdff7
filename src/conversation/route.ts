// Which agent and which session a message belongs to: pure, total, the most specific binding wins (R31).

import { Fault } from "../base/fault.ts";
import { defaultAccount, parseSessionKey, toAccountId, type SessionKey } from "../base/ids.ts";
import type { DeliveryTarget, Inbound } from "../ports/message.ts";

export interface Binding {
  readonly agentId: string;
  readonly match: {
    readonly channel: string;
    /** Absent: the default account only; `*`: any. */
    readonly accountId?: string;
    /** Of platforms that have such: what names one is for none of the messages that come here. */
    readonly guildId?: string;
    readonly teamId?: string;
    readonly peer?: { readonly kind: "dm" | "group" | "channel"; readonly id: string };
  };
}

export interface RoutePolicy {
  readonly dmScope: "main" | "per-peer" | "per-channel-peer" | "per-account-channel-peer";
  readonly scope: "per-sender" | "global";
  readonly agentIds: readonly string[];
  readonly defaultAgentId: string;
  readonly bindings: readonly Binding[];
}

export interface Route {
  readonly agentId: string;
  readonly sessionKey: SessionKey;
  readonly matchedBy: "binding.peer" | "binding.account" | "binding.channel" | "default";
}

/** Last part of the key of an agent's main session. */
export const mainKey = "main";

export function decideRoute(inbound: Inbound, policy: RoutePolicy): Route {
  const { agentId, matchedBy } = decideAgent(inbound, policy);
  return { agentId, matchedBy, sessionKey: parseSessionKey(sessionKeyText(inbound, agentId, policy)) };
}

function decideAgent(inbound: Inbound, policy: RoutePolicy): Pick<Route, "agentId" | "matchedBy"> {
  const kind = inbound.chat.kind === "direct" ? "dm" : "group";
  const fits = policy.bindings.filter(
    ({ match, agentId }) =>
      policy.agentIds.includes(agentId) &&
      match.channel === inbound.channel &&
      (match.guildId ?? match.teamId) === undefined &&
      (match.accountId === "*" || toAccountId(match.accountId ?? defaultAccount) === inbound.account) &&
      (match.peer === undefined ||
        (match.peer.kind === kind && match.peer.id.toLowerCase() === inbound.chat.id.toLowerCase())),
  );
  const byPeer = fits.find((binding) => binding.match.peer !== undefined);
  if (byPeer) return { agentId: byPeer.agentId, matchedBy: "binding.peer" };
  const byAccount = fits.find((binding) => binding.match.accountId !== "*");
  if (byAccount) return { agentId: byAccount.agentId, matchedBy: "binding.account" };
  const byChannel = fits[0];
  if (byChannel) return { agentId: byChannel.agentId, matchedBy: "binding.channel" };
  return { agentId: policy.defaultAgentId, matchedBy: "default" };
}

function sessionKeyText(inbound: Inbound, agentId: string, policy: RoutePolicy): string {
  const { chat, channel, account } = inbound;
  const agent = `agent:${agentId}`;
  const chatId = chat.id.trim().toLowerCase() || "unknown";
  if (chat.kind === "group") {
    return `${agent}:${channel}:group:${chatId}${chat.threadId ? `:topic:${chat.threadId}` : ""}`;
  }
  if (policy.scope === "global") return "global";

  const thread = chat.threadId ? `:thread:${chat.threadId}` : "";
  const peer = (inbound.sender.id || chatId).toLowerCase();
  switch (policy.dmScope) {
    case "main":
      return `${agent}:${mainKey}${thread}`;
    case "per-peer":
      return `${agent}:dm:${peer}${thread}`;
    case "per-channel-peer":
      return `${agent}:${channel}:dm:${peer}${thread}`;
    case "per-account-channel-peer":
      return `${agent}:${channel}:${account}:dm:${peer}${thread}`;
  }
}

/** The session that the messages of this chat go to. */
export function sessionOfTarget(target: DeliveryTarget, policy: RoutePolicy): SessionKey {
  const { channel, account, chatId, threadId } = target;
  const inbound: Inbound = {
    channel,
    account,
    eventId: "",
    chat: { kind: chatId.startsWith("-") ? "group" : "direct", id: chatId, threadId },
    sender: { id: chatId },
    text: "",
    trust: "operator",
  };
  return decideRoute(inbound, policy).sessionKey;
}

/** The key of an agent's main session. */
export function mainKeyOf(
  policy: Pick<RoutePolicy, "defaultAgentId" | "scope">,
  agentId: string = policy.defaultAgentId,
): SessionKey {
  return parseSessionKey(policy.scope === "global" ? "global" : `agent:${agentId}:${mainKey}`);
}

/**
 * The canonical key of what a client wrote: empty or `main` is the default agent's main session, a bare word gets the
 * default agent in front, `global` and `unknown` are themselves. Where all share one session every main key is that one.
 * @throws Fault `invalid_params` for a key too long or malformed.
 */
export function widenSessionKey(text: string, policy: Pick<RoutePolicy, "defaultAgentId" | "scope">): SessionKey {
  const key = text.trim().toLowerCase();
  if (key === "" || key === mainKey) return mainKeyOf(policy);
  if (key === "global" || key === "unknown") return parseSessionKey(key);
  if (!key.startsWith("agent:")) return parseSessionKey(`agent:${policy.defaultAgentId}:${key}`);
  const [, agentId = "", ...rest] = key.split(":");
  return rest.join(":") === mainKey ? mainKeyOf(policy, agentId) : parseSessionKey(key);
}

/** The agent in a canonical key; `fallback` for `global` and `unknown`. */
export function agentOf(key: SessionKey, fallback: string): string {
  return key.startsWith("agent:") ? (key.split(":")[1] ?? fallback) : fallback;
}

/** @throws Fault `invalid_params` when the agent is not configured. */
export function checkAgent(agentId: string, policy: Pick<RoutePolicy, "agentIds">): string {
  const id = agentId.trim().toLowerCase();
  if (policy.agentIds.includes(id)) return id;
  throw new Fault("invalid_params", `unknown agent id "${agentId}"`, {
    field: "agentId",
    next: `use one of: ${policy.agentIds.join(", ")}`,
  });
}
