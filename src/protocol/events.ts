// Events that the Gateway sends. Build time only.

import { Type, type Static } from "typebox";

import { event } from "./method.ts";
import { deviceRequest } from "./methods/devices.ts";
import { healthSnapshot } from "./methods/health.ts";
import { talkMode, voiceWake } from "./methods/voice.ts";
import { nodeEvents } from "./node-events.ts";
import { sessionRow } from "./session-shapes.ts";
import { chatMessage, count, nonEmpty, open, presenceEntry, text, time, usage } from "./shapes.ts";

const chatRun = {
  runId: nonEmpty("Run"),
  sessionKey: nonEmpty("Session"),
  seq: count("`seq` of the agent event it follows from"),
};

/** Wider than its schema, which says what belongs to which state: handed on as one shape, whatever the state. */
interface ChatPayload {
  runId: string;
  sessionKey: string;
  seq: number;
  state: "delta" | "final" | "aborted" | "error";
  message?: Static<typeof chatMessage>;
  deltaText?: string;
  errorMessage?: string;
  usage?: Static<typeof usage>;
  stopReason?: string;
}

export const events = {
  "connect.challenge": event({
    summary: "The first frame of every connection, sent to it alone",
    payload: Type.Object({
      nonce: nonEmpty("Goes into the device signature"),
      ts: time("The Gateway's clock"),
      capabilities: Type.Array(nonEmpty("Extra"), { description: "Extras that a client may use; none yet" }),
    }),
    scope: "direct",
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
    summary:
      "The same turn as a chat sees it: deltas, then exactly one of final, aborted and error. A connection that reads too slowly misses deltas",
    payload: Type.Unsafe<ChatPayload>(
      Type.Union([
        Type.Object({
          ...chatRun,
          state: Type.Literal("delta"),
          message: chatMessage,
          deltaText: text("What is new since the last delta that was sent"),
        }),
        Type.Object({
          ...chatRun,
          state: Type.Literal("final"),
          message: Type.Optional(chatMessage),
          usage: Type.Optional(usage),
          stopReason: Type.Optional(text("Why it ended")),
        }),
        Type.Object({
          ...chatRun,
          state: Type.Literal("aborted"),
          message: Type.Optional(chatMessage),
          stopReason: Type.Optional(text("rpc, stop or timeout")),
        }),
        Type.Object({ ...chatRun, state: Type.Literal("error"), errorMessage: text("What went wrong") }),
      ]),
    ),
    scope: "operator.read",
    isDroppable: false,
  }),
  "sessions.changed": event({
    summary: "A session is new, was used, changed or is gone",
    payload: Type.Object(
      {
        sessionKey: nonEmpty("Session"),
        reason: nonEmpty("start, end, message, patch, reset, compact or delete"),
        ts: time("When"),
        session: Type.Optional(sessionRow),
      },
      open,
    ),
    scope: "operator.read",
    isDroppable: false,
    topic: "event",
  }),
  "session.message": event({
    summary: "A message was added to a session's transcript",
    payload: Type.Object(
      {
        sessionKey: nonEmpty("Session"),
        sessionId: nonEmpty("Session id"),
        runId: Type.Optional(nonEmpty("Run that said it")),
        ts: time("When"),
        message: chatMessage,
      },
      open,
    ),
    scope: "operator.read",
    isDroppable: false,
    topic: "session",
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
  "device.pair.requested": event({
    summary: "A device asks to be let in, or for more than it has",
    payload: deviceRequest,
    scope: "operator.pairing",
    isDroppable: false,
  }),
  "device.pair.resolved": event({
    summary: "A device's request was decided",
    payload: Type.Object(
      {
        requestId: nonEmpty("The request"),
        deviceId: nonEmpty("Device"),
        decision: Type.Union([Type.Literal("approved"), Type.Literal("rejected")], { description: "The decision" }),
        ts: time("When"),
      },
      open,
    ),
    scope: "operator.pairing",
    isDroppable: false,
  }),
  "voicewake.changed": event({
    summary: "The words that devices listen for are others now",
    payload: voiceWake,
    scope: "any",
    isDroppable: false,
  }),
  "talk.mode": event({ summary: "Talking was switched", payload: talkMode, scope: "any", isDroppable: false }),
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
  ...nodeEvents,
};
