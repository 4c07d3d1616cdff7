// Events that the Gateway sends. Build time only.

import { Type } from "typebox";

import { event } from "./method.ts";
import { healthSnapshot } from "./methods/health.ts";
import { chatMessage, count, nonEmpty, open, presenceEntry, text, time, usage } from "./shapes.ts";

export const events = {
  "connect.challenge": event({
    summary: "The first frame of every connection, sent to it alone",
    payload: Type.Object({ nonce: nonEmpty("Goes into the device signature"), ts: time("The Gateway's clock") }),
    scope: "any",
    isDroppable: false,
  }),
  agent: event({
    summary: "What a running turn does; `seq` counts within the run, over all streams",
    payload: Type.Object({
      runId: nonEmpty("Run"),
      seq: count("1, 2, 3 … within the run"),
      stream: nonEmpty("lifecycle, assistant, tool, compaction or error"),
      ts: time("When"),
      data: Type.Record(Type.String(), Type.Unknown(), { description: "Depends on the stream" }),
      sessionKey: Type.Optional(nonEmpty("Session")),
    }),
    scope: "operator.read",
    isDroppable: false,
  }),
  chat: event({
    summary: "The same turn as a chat sees it: deltas, then exactly one of final, aborted and error",
    payload: Type.Object({
      runId: nonEmpty("Run"),
      sessionKey: nonEmpty("Session"),
      seq: count("`seq` of the agent event it follows from"),
      state: Type.Union([Type.Literal("delta"), Type.Literal("final"), Type.Literal("aborted"), Type.Literal("error")]),
      message: Type.Optional(chatMessage),
      deltaText: Type.Optional(text("What is new since the last delta")),
      errorMessage: Type.Optional(text("What went wrong")),
      usage: Type.Optional(usage),
      stopReason: Type.Optional(text("Why it ended")),
    }),
    scope: "operator.read",
    isDroppable: false,
  }),
  presence: event({
    summary: "The whole presence list, after every change",
    payload: Type.Object({ presence: Type.Array(presenceEntry) }),
    scope: "operator.read",
    isDroppable: true,
  }),
  health: event({ summary: "A fresh health snapshot", payload: healthSnapshot, scope: "any", isDroppable: false }),
  tick: event({
    summary: "Sign of life",
    payload: Type.Object({ ts: time("The Gateway's clock") }),
    scope: "any",
    isDroppable: true,
  }),
  shutdown: event({
    summary: "The Gateway goes away; clients reconnect",
    payload: Type.Object(
      {
        reason: nonEmpty("Why"),
        restartExpectedMs: Type.Optional(count("When to expect it back; absent when it is not")),
      },
      open,
    ),
    scope: "any",
    isDroppable: false,
  }),
};
