// send. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { idempotencyKey, nonEmpty, open, text } from "../shapes.ts";

export const messagingMethods = {
  send: method({
    summary: "Sends a message to a chat through a connected channel; fails fast when the channel is down",
    params: Type.Object({
      to: nonEmpty("Chat, as the channel writes it"),
      message: nonEmpty("Text, in Markdown"),
      mediaUrl: Type.Optional(text("Not supported yet")),
      mediaUrls: Type.Optional(Type.Array(Type.String())),
      channel: Type.Optional(text("Channel id; may be left out when only one is configured")),
      accountId: Type.Optional(text("Account of the channel")),
      sessionKey: Type.Optional(
        Type.String({ maxLength: 512, description: "Session whose transcript gets the text too, once it is sent" }),
      ),
      idempotencyKey,
    }),
    result: Type.Object(
      {
        runId: nonEmpty("The idempotency key"),
        messageId: text("The platform's id of the (first) message"),
        channel: nonEmpty("Channel it went through"),
        chatId: Type.Optional(text("Chat it went to")),
      },
      open,
    ),
    scope: "operator.write",
    isIdempotent: true,
  }),
};
