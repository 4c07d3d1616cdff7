// chat.send, chat.history, chat.abort, chat.inject. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { chatMessage, idempotencyKey, nonEmpty, open, runId, text } from "../shapes.ts";

const aborted = Type.Object({
  ok: Type.Literal(true),
  aborted: Type.Boolean({ description: "Something was stopped" }),
  runIds: Type.Array(text("Run")),
});

export const chatMethods = {
  "chat.send": method({
    summary:
      "Says something in a session; the answer comes as `chat` events. A stop word stops the session's runs instead",
    params: Type.Object({
      sessionKey: nonEmpty("Session; `main` is the default agent's main one"),
      message: text("Text; may be empty when a picture is attached"),
      thinking: Type.Optional(text("Thinking level")),
      deliver: Type.Optional(
        Type.Boolean({ description: "Also send the reply to the chat that the session was last heard from" }),
      ),
      attachments: Type.Optional(Type.Array(Type.Unknown(), { description: "Pictures" })),
      timeoutMs: Type.Optional(Type.Integer({ minimum: 0, description: "Time limit; 0 means none" })),
      idempotencyKey,
    }),
    result: Type.Union([
      Type.Object({
        runId: nonEmpty("The idempotency key"),
        status: Type.Union([Type.Literal("started"), Type.Literal("in_flight"), Type.Literal("ok")]),
      }),
      aborted,
    ]),
    scope: "operator.write",
    isIdempotent: true,
  }),
  "chat.history": method({
    summary: "The newest messages of a session, oldest first",
    params: Type.Object({
      sessionKey: nonEmpty("Session"),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: "Default 200" })),
    }),
    result: Type.Object(
      {
        sessionKey: nonEmpty("As it was asked for"),
        sessionId: Type.Optional(text("Session id")),
        messages: Type.Array(chatMessage),
        thinkingLevel: Type.Optional(text("Thinking level set for the session")),
        verboseLevel: Type.Optional(text("Verbose level set for the session")),
      },
      open,
    ),
    scope: "operator.read",
  }),
  "chat.abort": method({
    summary: "Stops the session's runs, or one of them",
    params: Type.Object({ sessionKey: nonEmpty("Session"), runId: Type.Optional(runId("Only this run")) }),
    result: aborted,
    scope: "operator.write",
  }),
  "chat.inject": method({
    summary: "Adds a message to a session's transcript as if the agent had said it, without a run; sent to no chat",
    params: Type.Object({
      sessionKey: nonEmpty("Session; it must exist"),
      message: nonEmpty("What is added, in Markdown"),
      label: Type.Optional(Type.String({ maxLength: 100, description: "Put before it in brackets" })),
    }),
    result: Type.Object({ ok: Type.Literal(true), messageId: nonEmpty("Id of the message: 8 hex digits") }),
    scope: "operator.admin",
  }),
};
