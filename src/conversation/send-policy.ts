// May a session be written to by clients, and answer in its chat? What is set for the session counts first, then the rules of
// the config: a denying one before an allowing one, then their default.

import { Fault } from "../base/fault.ts";
import type { SessionKey } from "../base/ids.ts";
import type { Sql } from "../platform/database.ts";
import { findSession, type SessionRow } from "./store/sessions.ts";

export interface SendRules {
  readonly default?: "allow" | "deny";
  readonly rules?: readonly {
    readonly action: "allow" | "deny";
    /** All that is named must fit; nothing named fits every session. */
    readonly match?: { readonly channel?: string; readonly chatType?: string; readonly keyPrefix?: string };
  }[];
}

/** What a rule looks at. */
export interface SendFacts {
  readonly key: string;
  readonly channel: string | undefined;
  readonly chatType: "direct" | "group" | "channel";
}

export function decideSend(facts: SendFacts, rules: SendRules, own: "allow" | "deny" | undefined): "allow" | "deny" {
  if (own) return own;
  const fitting = (rules.rules ?? []).filter(({ match = {} }) => {
    const { channel, chatType, keyPrefix } = match;
    return (
      (channel === undefined || channel.toLowerCase() === facts.channel) &&
      (chatType === undefined || chatType.toLowerCase() === facts.chatType) &&
      (keyPrefix === undefined || hasPrefix(facts.key, keyPrefix.trim().toLowerCase()))
    );
  });
  if (fitting.some(({ action }) => action === "deny")) return "deny";
  return fitting.length > 0 ? "allow" : (rules.default ?? "allow");
}

/** People write the key whole, or without the agent in front. */
function hasPrefix(key: string, prefix: string): boolean {
  return key.startsWith(prefix) || key.replace(/^agent:[^:]+:/u, "").startsWith(prefix);
}

function toFacts(key: SessionKey, session: SessionRow | undefined): SendFacts {
  const named = /^agent:[^:]+:([^:]+):(?:[^:]+:)?(dm|group|channel):/u.exec(key);
  const kind = named?.[2];
  return {
    key,
    channel: session?.lastRoute?.channel ?? named?.[1],
    chatType: kind === "group" || kind === "channel" ? kind : (session?.chatKind ?? "direct"),
  };
}

export interface SendPolicy {
  /** As it is set now. */
  isMuted(sql: Sql, key: SessionKey): boolean;
  /** @throws Fault `invalid_params` when the session is muted. */
  check(sql: Sql, key: SessionKey): void;
}

export function createSendPolicy(rules: () => SendRules): SendPolicy {
  const isMuted = (sql: Sql, key: SessionKey) => {
    const session = findSession(sql, key);
    return decideSend(toFacts(key, session), rules(), session?.settings.sendPolicy) === "deny";
  };
  return {
    isMuted,
    check(sql, key) {
      if (!isMuted(sql, key)) return;
      throw new Fault("invalid_params", "send blocked by session policy", {
        field: "sessionKey",
        next: `allow it: sendPolicy of ${key} (sessions.patch), or session.sendPolicy in the config`,
      });
    },
  };
}
