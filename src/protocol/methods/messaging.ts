// send, message.action. Build time only.

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
  "message.action": method({
    summary: "Does something with messages on a channel; `send` is what all channels can do",
    params: Type.Object({
      action: Type.String({ minLength: 1, maxLength: 64, description: "What to do: send" }),
      channel: Type.Optional(text("Channel id; may be left out when only one is configured")),
      accountId: Type.Optional(text("Account of the channel")),
      params: Type.Object(
        {
          target: Type.Optional(text("Chat, as the channel writes it")),
          to: Type.Optional(text("The same, under its older name")),
          message: Type.Optional(text("Text, in Markdown")),
          replyTo: Type.Optional(text("Message to answer to")),
          threadId: Type.Optional(text("Topic or thread of the chat")),
        },
        { description: "What it is done with" },
      ),
      sessionKey: Type.Optional(text("Session whose transcript gets the text; else that of the chat")),
      idempotencyKey,
    }),
    result: Type.Object(
      {
        ok: Type.Literal(true),
        action: nonEmpty("What was done"),
        runId: nonEmpty("The idempotency key"),
        channel: nonEmpty("Channel it went through"),
        messageId: text("The platform's id of the (first) message"),
        chatId: Type.Optional(text("Chat it went to")),
      },
      open,
    ),
    scope: "operator.write",
    isIdempotent: true,
  }),
};
