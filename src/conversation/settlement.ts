// The end of a turn as rows: last words into the transcript, reply into the outbox, usage into the session, outcome into the
// turn. All or nothing, and nothing when a newer attempt owns the turn.

import type { Sql } from "../platform/database.ts";
import type { DeliveryTarget } from "../ports/message.ts";
import type { AssistantMessage, TranscriptMessage, TurnEvent, Usage } from "../ports/turn.ts";
import { noUsage } from "./messages.ts";
import { planReply, visibleText } from "./reply.ts";
import type { SendPolicy } from "./send-policy.ts";
import { insertOutbox, textsSentByTools, type OutboxSource } from "./store/outbox.ts";
import { ownMessage, recordMessages, type PriceOf } from "./sessions/record.ts";
import { countTurn, markAborted, type SessionRow } from "./store/sessions.ts";
import { messagesOfRun } from "./store/transcript.ts";
import { finishTurn, type TurnOutcome, type TurnRow } from "./store/turns.ts";

export interface Settlement {
  readonly turn: TurnRow;
  readonly session: SessionRow;
  /** The terminal event. */
  readonly last: TurnEvent;
  readonly target: DeliveryTarget | undefined;
  readonly replyTo: string | undefined;
  readonly durationMs: number;
  /** The turn's `traceparent`, for what it sends. */
  readonly trace: string | undefined;
}

export interface Settled {
  readonly state: "ok" | "error" | "aborted";
  readonly outcome: TurnOutcome;
  /** What the transcript got. */
  readonly message: TranscriptMessage | undefined;
}

export interface SettleOptions {
  readonly now: number;
  readonly textLimit: (target: DeliveryTarget) => number;
  readonly priceOf: PriceOf;
  readonly sendPolicy: SendPolicy;
}

/** @returns undefined, having written nothing, when this attempt no longer owns the turn. */
export function settleTurn(sql: Sql, settlement: Settlement, options: SettleOptions): Settled | undefined {
  const { turn, session, last } = settlement;
  const message = lastWords(last, options.now);
  const { state, outcome } = toSettled(settlement);
  const usage = outcome.usage && sumUsage([...messagesOfRun(sql, turn.runId), ...(message ? [message] : [])]);
  const settled = { state, outcome: { ...outcome, ...(usage ? { usage } : {}) }, message };
  if (!finishTurn(sql, turn, { state: settled.state, at: options.now, outcome: settled.outcome })) return undefined;

  const { key: sessionKey, sessionId, agentId } = session;
  if (message)
    recordMessages(sql, { sessionKey, sessionId, agentId, runId: turn.runId }, { ...options, messages: [message] });
  if (last.type === "end") countTurn(sql, sessionKey);
  else if (last.type === "aborted") markAborted(sql, sessionKey);

  if (settlement.target && !options.sendPolicy.isMuted(sql, sessionKey)) writeReply(sql, settlement, options);
  return settled;
}

/** Of all model calls of the run: what it costs whoever asked. */
function sumUsage(messages: readonly TranscriptMessage[]): Usage {
  const sum = { ...noUsage };
  for (const message of messages) {
    if (message.role !== "assistant") continue;
    sum.input += message.usage.input;
    sum.output += message.usage.output;
    sum.cacheRead += message.usage.cacheRead;
    sum.cacheWrite += message.usage.cacheWrite;
    sum.totalTokens += message.usage.totalTokens;
  }
  return sum;
}

function writeReply(sql: Sql, settlement: Settlement, options: SettleOptions): void {
  const { turn, last, target } = settlement;
  const words = last.type === "end" ? textOf(last.message) : last.type === "failed" ? last.notice : "";
  if (!target || words === "") return;
  const source: OutboxSource = last.type === "end" ? "reply" : "notice";
  const rows = planReply({
    runId: turn.runId,
    source,
    effect: `${turn.runId}:reply`,
    text: words,
    target,
    textLimit: options.textLimit(target),
    ...(settlement.replyTo ? { replyTo: settlement.replyTo } : {}),
    now: options.now,
    alreadySent: textsSentByTools(sql, turn.runId, target),
  });
  for (const row of rows) insertOutbox(sql, { ...row, trace: settlement.trace });
}

function toSettled({ last, durationMs }: Settlement): Omit<Settled, "message"> {
  switch (last.type) {
    case "end": {
      const { provider, model, usage, stopReason } = last.message;
      return {
        state: "ok",
        outcome: {
          text: visibleText(textOf(last.message)),
          durationMs,
          provider,
          model,
          usage,
          stopReason,
          ...callsIn(last.message),
        },
      };
    }
    case "failed":
      return {
        state: "error",
        outcome: { text: "", durationMs, fault: { code: last.fault.code, message: last.fault.message } },
      };
    case "aborted":
      return {
        state: "aborted",
        outcome: {
          text: last.partialText,
          durationMs,
          stopReason: last.reason,
          fault: { code: "aborted", message: `stopped (${last.reason})` },
        },
      };
    default:
      return {
        state: "error",
        outcome: { text: "", durationMs, fault: { code: "internal", message: "the turn ended without an end" } },
      };
  }
}

function callsIn({ content }: AssistantMessage): Pick<TurnOutcome, "calls"> {
  const calls = content.flatMap((block) =>
    block.type === "toolCall" ? [{ id: block.id, name: block.name, arguments: block.arguments }] : [],
  );
  return calls.length > 0 ? { calls } : {};
}

/** What the transcript keeps as the turn's last message. */
function lastWords(last: TurnEvent, now: number): TranscriptMessage | undefined {
  if (last.type === "end") return last.message;
  const text = last.type === "failed" ? last.notice : last.type === "aborted" ? last.partialText : "";
  if (text === "") return undefined;
  return ownMessage(text, now, { model: "notice", stopReason: last.type === "aborted" ? "aborted" : "error" });
}

function textOf(message: AssistantMessage): string {
  return message.content
    .flatMap((block) => (block.type === "text" ? [block.text] : []))
    .join("")
    .trim();
}
