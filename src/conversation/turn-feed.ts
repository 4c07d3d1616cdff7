// What clients see of a running turn: `agent` events as they happen, `chat` events derived from them, both on the bus.
// `seq` counts per run over all streams; chat deltas come at most every 150 ms and always carry the whole text so far.

import type { Clock } from "../base/clock.ts";
import type { RunId, SessionKey } from "../base/ids.ts";
import type { Publish } from "../ports/publish.ts";
import type { TurnEvent } from "../ports/turn.ts";

const chatSpacingMs = 150;

export interface TurnFeed {
  /** Everything but the terminal event. */
  progress(event: TurnEvent): void;
  /** The run ended and its end is committed. `text` is what a person reads; empty for silence. */
  end(text: string, stopReason: string): void;
  failed(message: string): void;
  aborted(reason: string, partialText: string): void;
}

export function createTurnFeed(options: {
  readonly runId: RunId;
  readonly sessionKey: SessionKey;
  readonly publish: Publish;
  readonly clock: Clock;
}): TurnFeed {
  const { runId, sessionKey, publish, clock } = options;
  let seq = 0;
  let startedAt = clock.now();
  /** Text of finished model calls of this run; the current call's text is added to it. */
  let settledText = "";
  let currentText = "";
  let sentLength = 0;
  let lastChatAt = Number.NEGATIVE_INFINITY;

  const agent = (stream: string, data: Record<string, unknown>) => {
    seq += 1;
    publish("agent", { runId, seq, stream, ts: clock.now(), data, sessionKey });
  };
  const wholeText = () => (settledText === "" ? currentText : `${settledText}\n\n${currentText}`);
  const message = (text: string) => ({
    role: "assistant" as const,
    content: [{ type: "text" as const, text }],
    timestamp: clock.now(),
  });
  const chatDelta = () => {
    const at = clock.monotonic();
    if (at - lastChatAt < chatSpacingMs) return;
    lastChatAt = at;
    const text = wholeText();
    publish("chat", {
      runId,
      sessionKey,
      seq,
      state: "delta",
      message: message(text),
      deltaText: text.slice(sentLength),
    });
    sentLength = text.length;
  };

  return {
    progress(event) {
      switch (event.type) {
        case "start":
          startedAt = event.startedAt;
          agent("lifecycle", { phase: "start", startedAt });
          break;
        case "model":
          agent("lifecycle", { phase: "model", provider: event.provider, model: event.model });
          break;
        case "fallback":
          agent("lifecycle", { phase: "fallback_step", from: event.from, to: event.to, reason: event.reason });
          break;
        case "text":
          currentText = event.text;
          agent("assistant", { text: wholeText(), delta: event.delta });
          chatDelta();
          break;
        case "toolStart":
          if (currentText !== "") settledText = wholeText();
          currentText = "";
          agent("tool", { phase: "start", name: event.name, toolCallId: event.callId, args: event.args });
          break;
        case "toolResult":
          agent("tool", {
            phase: "result",
            name: event.name,
            toolCallId: event.callId,
            isError: event.isError,
            result: event.result,
          });
          break;
        case "end":
        case "failed":
        case "aborted":
          break;
      }
    },
    end(text, stopReason) {
      agent("lifecycle", { phase: "end", startedAt, endedAt: clock.now() });
      publish("chat", {
        runId,
        sessionKey,
        seq,
        state: "final",
        stopReason,
        ...(text === "" ? {} : { message: message(text) }),
      });
    },
    failed(errorMessage) {
      agent("lifecycle", { phase: "error", error: errorMessage, startedAt, endedAt: clock.now() });
      publish("chat", { runId, sessionKey, seq, state: "error", errorMessage });
    },
    aborted(reason, partialText) {
      agent("lifecycle", { phase: "end", startedAt, endedAt: clock.now(), aborted: true });
      publish("chat", {
        runId,
        sessionKey,
        seq,
        state: "aborted",
        stopReason: reason,
        ...(partialText === "" ? {} : { message: message(partialText) }),
      });
    },
  };
}
