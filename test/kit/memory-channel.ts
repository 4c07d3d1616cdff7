// A channel without a platform: what was sent stays in a list, and each send's outcome can be chosen.

import type { Channel } from "../../src/ports/channel.ts";
import type { Inbound, Outbound, SendOutcome, Submit } from "../../src/ports/message.ts";

export interface MemoryChannel extends Channel {
  readonly sent: Outbound[];
  /** Hands a message to the Gateway as a platform would. */
  receive(message: {
    eventId: string;
    chatId: string;
    text: string;
    senderId?: string;
    /** The chat is a group of this title. */
    group?: string;
    account?: string;
  }): ReturnType<Submit>;
  /** The accounts that are set up. */
  ids: readonly string[];
  isRunning: boolean;
  /** Decides the next sends; the default is `sent`. */
  outcome: (outbound: Outbound) => SendOutcome | Promise<SendOutcome>;
}

export function createMemoryChannel(id = "memory", ids: readonly string[] = ["default"]): MemoryChannel {
  const sent: Outbound[] = [];
  const receivers = new Map<string, Submit>();
  return {
    id,
    label: "Memory",
    isLinkable: false,
    ids,
    accounts() {
      return this.ids;
    },
    textLimit: () => 200,
    sent,
    isRunning: true,
    outcome: () => ({ outcome: "sent", messageId: `m${sent.length}` }),
    async start(target, account) {
      for (const one of account === undefined ? this.ids : [account]) receivers.set(one, target);
    },
    async stop(_deadline, account) {
      for (const one of account === undefined ? [...receivers.keys()] : [account]) receivers.delete(one);
    },
    async send(outbound) {
      if (!this.ids.includes(outbound.target.account)) {
        return { outcome: "retry", afterMs: 60_000, reason: "there is no such account" };
      }
      const outcome = await this.outcome(outbound);
      if (outcome.outcome === "sent") sent.push(outbound);
      return outcome;
    },
    status() {
      const { isRunning } = this;
      return this.ids.map((accountId) => ({
        accountId,
        isEnabled: true,
        isConfigured: true,
        isRunning,
        isConnected: isRunning,
      }));
    },
    parseTarget(text, account) {
      return { channel: id, account: account ?? this.ids[0] ?? "default", chatId: text };
    },
    receive(message) {
      const account = message.account ?? "default";
      const submit = receivers.get(account);
      if (!submit) throw new Error("the account is not started");
      const inbound: Inbound = {
        channel: id,
        account,
        eventId: message.eventId,
        chat: message.group
          ? { kind: "group", id: message.chatId, title: message.group }
          : { kind: "direct", id: message.chatId },
        sender: { id: message.senderId ?? message.chatId },
        text: message.text,
        trust: "channel",
      };
      return submit(inbound);
    },
  };
}
