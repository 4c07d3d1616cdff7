// One question to a model, with retries and failover: it ends with an answer, or with the reason why nobody could give one.
// Text that was streamed before a failure is taken back: `text` events always carry the whole text of the call under way.

import { abortable } from "../base/abortable.ts";
import { sleep, type Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Model, ModelEvent, ModelTool, Sampling, ToolChoice } from "../ports/model.ts";
import type { TranscriptMessage, TurnEvent, Usage } from "../ports/turn.ts";
import { estimateMessage, fitContext } from "./context.ts";
import type { Cooldowns } from "./cooldowns.ts";
import { decideFailure } from "./failover.ts";
import type { ModelSpec } from "./models.ts";
import type { ToolCall } from "./tool-call.ts";

export interface Answer {
  readonly model: Model;
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly usage: Usage;
  readonly stopReason: "stop" | "length" | "tool" | "refused";
}

export type AskResult =
  | { readonly answer: Answer }
  | { readonly failure: { readonly reason: string; readonly retryAfterMs: number | undefined } };

export interface Question {
  readonly specs: readonly ModelSpec[];
  readonly system: string;
  readonly history: readonly TranscriptMessage[];
  readonly turn: readonly TranscriptMessage[];
  readonly tools: readonly ModelTool[];
  readonly toolChoice: ToolChoice;
  readonly sampling: Sampling | undefined;
  readonly thinking: string | undefined;
  readonly trace: string | undefined;
  readonly signal: AbortSignal;
}

export interface AskDependencies {
  readonly openModel: (spec: ModelSpec) => Promise<Model>;
  readonly cooldowns: Cooldowns;
  readonly clock: Clock;
  readonly log: Log;
}

const refOf = (spec: ModelSpec) => `${spec.provider}/${spec.model}`;
/** Share of the window that is used: token counts are estimates. */
const windowShare = 0.9;
/** Share of the conversation that is sent again after it was too long. */
const shortenedShare = 0.4;

/** @throws what the signal aborts with. */
export async function* ask(question: Question, dependencies: AskDependencies): AsyncGenerator<TurnEvent, AskResult> {
  const { cooldowns, log } = dependencies;
  // those that failed lately last, otherwise in the order given
  const specs = question.specs.toSorted(
    (a, b) => Number(cooldowns.remainingMs(refOf(a)) > 0) - Number(cooldowns.remainingMs(refOf(b)) > 0),
  );
  let lastFailure: { reason: string; retryAfterMs: number | undefined } = {
    reason: "no model is set up",
    retryAfterMs: undefined,
  };

  for (const [index, spec] of specs.entries()) {
    const next = specs[index + 1];
    const result = yield* askOne(question, { spec, hasOther: next !== undefined }, dependencies);
    if ("answer" in result) {
      cooldowns.succeeded(refOf(spec));
      return result;
    }
    lastFailure = result.failure;
    log.warn("model failed", { model: refOf(spec), reason: lastFailure.reason });
    if (next) yield { type: "fallback", from: refOf(spec), to: refOf(next), reason: lastFailure.reason };
  }
  return { failure: lastFailure };
}

async function* askOne(
  question: Question,
  { spec, hasOther }: { spec: ModelSpec; hasOther: boolean },
  dependencies: AskDependencies,
): AsyncGenerator<TurnEvent, AskResult> {
  const { clock, cooldowns } = dependencies;
  const model = await abortable(dependencies.openModel(spec), question.signal);
  yield { type: "model", provider: model.provider, model: model.id };
  let isShortened = false;
  for (let tries = 1; ; tries += 1) {
    const result = yield* callOnce(model, question, isShortened);
    if ("answer" in result) return result;

    const { failure, reason, retryAfterMs } = result;
    const decision = decideFailure({ failure, tries, retryAfterMs, hasOther, isShortened });
    if (decision.action === "retry") await sleep(clock, decision.afterMs, question.signal);
    else if (decision.action === "shorten") isShortened = true;
    else {
      cooldowns.failed(refOf(spec), failure, retryAfterMs);
      return { failure: { reason, retryAfterMs } };
    }
    question.signal.throwIfAborted();
  }
}

type CallResult = { readonly answer: Answer } | Extract<ModelEvent, { type: "failed" }>;

async function* callOnce(
  model: Model,
  question: Question,
  isShortened: boolean,
): AsyncGenerator<TurnEvent, CallResult> {
  const stream = model.stream({
    system: question.system,
    messages: await fitMessages(model, question, isShortened),
    tools: question.tools,
    toolChoice: question.toolChoice,
    ...(question.sampling ? { sampling: question.sampling } : {}),
    maxOutputTokens: Math.min(model.maxOutputTokens, question.sampling?.maxOutputTokens ?? model.maxOutputTokens),
    thinking: question.thinking,
    trace: question.trace,
    signal: question.signal,
  });
  const iterator = stream[Symbol.asyncIterator]();
  let text = "";
  const toolCalls: ToolCall[] = [];
  try {
    for (;;) {
      const { value: event, done } = await abortable(iterator.next(), question.signal);
      if (done) return { type: "failed", failure: "retry", reason: "the model's answer broke off" };
      if (event.type === "failed") {
        question.signal.throwIfAborted();
        return event;
      }
      if (event.type === "end")
        return { answer: { model, text, toolCalls, usage: event.usage, stopReason: event.stopReason } };
      if (event.type === "text") {
        text += event.delta;
        yield { type: "text", text, delta: event.delta };
      } else if (event.type === "toolCall") toolCalls.push(event);
    }
  } finally {
    // closes the connection when the consumer leaves early; a stream that has ended does not mind
    void iterator.return?.(undefined)?.catch(() => undefined);
  }
}

/**
 * What of the conversation is sent. After the provider has called it too long it is a part of what was sent before: a model's
 * window may be smaller than we know.
 */
async function fitMessages(model: Model, question: Question, isShortened: boolean): Promise<TranscriptMessage[]> {
  const { estimateTokenCount } = await import("tokenx");
  const estimate = (text: string) => estimateTokenCount(text);
  const fixed = estimate(question.system) + estimate(JSON.stringify(question.tools));
  const tokens = Math.floor((model.contextWindow - model.maxOutputTokens) * windowShare) - fixed;
  const fitting = fitContext(question.history, question.turn, { tokens, estimate });
  if (!isShortened) return fitting;

  const size = fitting.reduce((sum, message) => sum + estimateMessage(message, estimate), 0);
  return fitContext(question.history, question.turn, { tokens: Math.floor(size * shortenedShare), estimate });
}
