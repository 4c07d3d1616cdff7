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
  }): ReturnType<Submit>;
  isRunning: boolean;
  /** Decides the next sends; the default is `sent`. */
  outcome: (outbound: Outbound) => SendOutcome | Promise<SendOutcome>;
}

export function createMemoryChannel(id = "memory"): MemoryChannel {
  const sent: Outbound[] = [];
  let submit: Submit | undefined;
  return {
    id,
    label: "Memory",
    capabilities: { textLimit: 200, isLinkable: false },
    sent,
    isRunning: true,
    outcome: () => ({ outcome: "sent", messageId: `m${sent.length}` }),
    async start(target) {
      submit = target;
    },
    async stop() {
      submit = undefined;
    },
    async send(outbound) {
      const outcome = await this.outcome(outbound);
      if (outcome.outcome === "sent") sent.push(outbound);
      return outcome;
    },
    status() {
      const { isRunning } = this;
      return [{ accountId: "default", isEnabled: true, isConfigured: true, isRunning, isConnected: isRunning }];
    },
    parseTarget: (text, account) => ({ channel: id, account: account ?? "default", chatId: text }),
    receive(message) {
      if (!submit) throw new Error("the channel is not started");
      const inbound: Inbound = {
        channel: id,
        account: "default",
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
