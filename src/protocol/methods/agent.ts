// agent, agent.wait, agent.identity.get. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { idempotencyKey, nonEmpty, open, runId, text, time, usage } from "../shapes.ts";

export const agentMethods = {
  agent: method({
    summary:
      "Runs one agent turn: first `{runId, status: accepted}`, then the result; output streams as `agent` events",
    params: Type.Object({
      message: nonEmpty("What to answer"),
      agentId: Type.Optional(nonEmpty("Agent; the default one when left out")),
      sessionKey: Type.Optional(text("Session to run in")),
      sessionId: Type.Optional(text("The same by id")),
      to: Type.Optional(text("Person or chat whose session to run in, and where a delivered reply goes")),
      replyTo: Type.Optional(text("Where a delivered reply goes instead")),
      deliver: Type.Optional(Type.Boolean({ description: "Also send the reply to the chat" })),
      channel: Type.Optional(text("Channel of `to`")),
      replyChannel: Type.Optional(text("Channel of `replyTo`")),
      accountId: Type.Optional(text("Account of the channel")),
      replyAccountId: Type.Optional(text("Account of `replyChannel`")),
      attachments: Type.Optional(
        Type.Array(Type.Unknown(), { description: "Pictures: `{mimeType, content}` with base64 or a data URL" }),
      ),
      thinking: Type.Optional(text("off, minimal, low, medium, high or xhigh")),
      timeout: Type.Optional(Type.Integer({ minimum: 0, description: "Seconds; 0 means no limit; default 600" })),
      extraSystemPrompt: Type.Optional(text("Added to the agent's instructions")),
      idempotencyKey,
    }),
    accepted: Type.Object({
      runId: nonEmpty("The idempotency key"),
      status: Type.Literal("accepted"),
      acceptedAt: Type.Optional(time("When the message was stored; absent for a repetition")),
      sessionKey: Type.Optional(text("Session that it runs in: what chat.abort needs")),
    }),
    result: Type.Object(
      {
        runId: nonEmpty("The idempotency key"),
        status: Type.Union([Type.Literal("ok"), Type.Literal("error")]),
        summary: text("completed, or what went wrong"),
        result: Type.Optional(
          Type.Object({
            payloads: Type.Array(
              Type.Object(
                { text: text("What a person reads"), mediaUrl: Type.Union([Type.String(), Type.Null()]) },
                open,
              ),
            ),
            meta: Type.Object(
              {
                durationMs: Type.Number({ description: "Time the turn took" }),
                agentMeta: Type.Optional(
                  Type.Object({
                    sessionId: text("Session id"),
                    provider: text("Model provider"),
                    model: text("Model"),
                    usage: Type.Optional(usage),
                  }),
                ),
                stopReason: Type.Optional(text("Why the model stopped")),
              },
              open,
            ),
          }),
        ),
      },
      open,
    ),
    scope: "operator.write",
    answers: "twice",
    isIdempotent: true,
  }),
  "agent.wait": method({
    summary: "Waits for a run to end; running out of time does not stop the run",
    params: Type.Object({
      runId: runId("Run to wait for"),
      timeoutMs: Type.Optional(Type.Integer({ minimum: 0, description: "Default 30000" })),
    }),
    result: Type.Object({
      runId: nonEmpty("Run"),
      status: Type.Union([Type.Literal("ok"), Type.Literal("error"), Type.Literal("timeout")]),
      startedAt: Type.Optional(time("Began")),
      endedAt: Type.Optional(time("Ended")),
      error: Type.Optional(text("What went wrong")),
    }),
    scope: "operator.write",
  }),
  "agent.identity.get": method({
    summary: "Name and picture of an agent",
    params: Type.Object({
      agentId: Type.Optional(Type.String({ maxLength: 128, description: "Agent; the default one when left out" })),
      sessionKey: Type.Optional(Type.String({ maxLength: 512, description: "Session whose agent is meant" })),
    }),
    result: Type.Object({
      agentId: nonEmpty("Agent"),
      name: nonEmpty("Name for people"),
      avatar: nonEmpty("A web or data address of a picture, or a character or two"),
      emoji: Type.Optional(nonEmpty("Its sign")),
    }),
    scope: "operator.read",
  }),
};
