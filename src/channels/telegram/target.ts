// Chats as people write them: `123`, `-100123`, `@name`, `123:topic:4`, `telegram:123`, a t.me link.

import { Fault } from "../../base/fault.ts";
import type { DeliveryTarget } from "../../ports/message.ts";

const pattern = /^(?<chat>-?\d{1,20}|@[A-Za-z]\w{3,31})(?::(?:topic:)?(?<thread>\d{1,12}))?$/u;

/** @throws Fault `invalid_params` naming the forms that are understood. */
export function parseTarget(text: string, account: string): DeliveryTarget {
  let rest = text.trim();
  for (let before = ""; before !== rest;) {
    before = rest;
    rest = rest.replace(/^(?:telegram|tg|group):/iu, "");
  }
  const link = /^(?:https?:\/\/)?t\.me\/([A-Za-z]\w{3,31})\/?$/u.exec(rest);
  const match = pattern.exec(link ? `@${link[1]}` : rest);
  const chat = match?.groups?.["chat"];
  if (chat === undefined) {
    throw new Fault("invalid_params", `not a Telegram chat: ${JSON.stringify(text.slice(0, 80))}`, {
      field: "to",
      next: "use a chat id such as 123456789 or -1001234567890, @name, or <chat id>:topic:<thread id>",
    });
  }
  const thread = match?.groups?.["thread"];
  return {
    channel: "telegram",
    account,
    chatId: chat,
    ...(thread ? { threadId: thread } : {}),
  };
}
