// The turn: question -> answer -> tool calls -> question … until the model has said its last word. Every finished step is stored
// before the next begins, so a crash repeats no model call and no tool that was done. Trip (a) and (b).

import type { Clock } from "../base/clock.ts";
import { abortable } from "../base/abortable.ts";
import { createDeadline } from "../base/deadline.ts";
import { Fault, toFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { openingMessages } from "../conversation/messages.ts";
import type { ModelTool } from "../ports/model.ts";
import type { Tool } from "../ports/tool.ts";
import type {
  AssistantMessage,
  ContentBlock,
  TranscriptMessage,
  TurnEvent,
  TurnRequest,
  TurnRunner,
} from "../ports/turn.ts";
import { ask, type Answer, type AskDependencies, type AskResult } from "./ask.ts";
import { decideOffer, splitHistory, toClientCalls } from "./functions.ts";
import type { ModelChoice } from "./models.ts";
import { buildPrompt } from "./prompt.ts";
import { createToolRunner, type RunTool } from "./tool-call.ts";

/** Model calls within one turn. */
const maxSteps = 24;

export interface TurnRunnerDependencies extends AskDependencies {
  readonly chooseModels: (override: string | undefined, agentId: string) => ModelChoice;
  readonly tools: () => readonly Tool[];
  readonly clock: Clock;
  readonly log: Log;
}

export function createTurnRunner(dependencies: TurnRunnerDependencies): TurnRunner {
  const runTool = createToolRunner({ tools: dependencies.tools, log: dependencies.log });
  return (request) => runGuarded(request, { ...dependencies, runTool });
}

const isOffered = (tool: Tool, { isOwner }: Pick<TurnRequest, "isOwner">) => isOwner || tool.isForOwner !== true;

interface LoopDependencies extends TurnRunnerDependencies {
  readonly runTool: RunTool;
}

/** Turns whatever happens into exactly one terminal event. */
async function* runGuarded(request: TurnRequest, dependencies: LoopDependencies): AsyncGenerator<TurnEvent> {
  const { clock } = dependencies;
  const deadline = createDeadline(clock, request.timeoutMs, request.signal);
  const left = new AbortController();
  const signal = AbortSignal.any([deadline.signal, left.signal]);
  let partialText = "";
  try {
    yield { type: "start", startedAt: clock.now() };
    for await (const event of loop(request, signal, dependencies)) {
      if (event.type === "text") partialText = event.text;
      yield event;
    }
  } catch (error) {
    if (deadline.isExpired()) yield timedOut(request);
    else if (request.signal.aborted) yield { type: "aborted", reason: toReason(request.signal.reason), partialText };
    else if (error instanceof Fault && error.code === "aborted")
      yield { type: "aborted", reason: "superseded", partialText };
    else yield broken(error);
  } finally {
    deadline.clear();
    left.abort();
  }
}

async function* loop(
  request: TurnRequest,
  signal: AbortSignal,
  dependencies: LoopDependencies,
): AsyncGenerator<TurnEvent> {
  const { clock } = dependencies;
  const turn: TranscriptMessage[] = [...request.done];
  const store = async (...messages: readonly TranscriptMessage[]) => {
    await request.checkpoint(messages);
    turn.push(...messages);
  };
  if (turn.length === 0) await store(...openingMessages(request, clock.now()));

  const own: ModelTool[] = dependencies
    .tools()
    .filter((tool) => isOffered(tool, request))
    .map(({ name, description, parameters }) => ({ name, description, parameters }));
  const { tools, choice } = decideOffer(own, request);
  const { history, calls } = splitHistory(request);
  const { specs, unusable } = dependencies.chooseModels(request.model, request.agentId);
  if (specs.length === 0) {
    yield allFailed({
      reason: unusable.map(({ ref, reason }) => `${ref}: ${reason}`).join("; ") || "no model is set up",
      retryAfterMs: undefined,
    });
    return;
  }
  for (let step = countSteps(turn); step < maxSteps; step += 1) {
    // left over from an attempt that was cut off, or from the last step of this one
    yield* runPendingTools({ request, turn, store, signal, dependencies });

    const result: AskResult = yield* ask(
      {
        specs,
        system: buildPrompt(request, tools),
        history,
        turn: [...calls, ...turn],
        tools,
        toolChoice: choice,
        sampling: request.sampling,
        thinking: request.thinking,
        trace: request.trace,
        signal,
      },
      dependencies,
    );
    if ("failure" in result) {
      yield allFailed(result.failure);
      return;
    }
    const message = toMessage(result.answer, clock.now());
    const theirs = toClientCalls(message, request);
    if (theirs) {
      yield { type: "end", message: theirs };
      return;
    }
    if (result.answer.toolCalls.length === 0) {
      yield result.answer.stopReason === "refused" && result.answer.text === "" ? refused() : { type: "end", message };
      return;
    }
    await store(message);
  }
  yield {
    type: "failed",
    fault: new Fault("agent_failed", `the agent did not come to an end within ${maxSteps} steps`),
    notice: "I went round in circles with this one and stopped. Please ask in another way.",
  };
}

interface PendingTools {
  readonly request: TurnRequest;
  readonly turn: readonly TranscriptMessage[];
  readonly store: (message: TranscriptMessage) => Promise<void>;
  readonly signal: AbortSignal;
  readonly dependencies: LoopDependencies;
}

/** Calls of the turn's last step that have no result yet, one after the other. Earlier steps are complete. */
async function* runPendingTools({
  request,
  turn,
  store,
  signal,
  dependencies,
}: PendingTools): AsyncGenerator<TurnEvent> {
  const last = turn.findLastIndex((message) => message.role === "assistant");
  const step = turn[last];
  if (step?.role !== "assistant") return;

  // by place, not by id over the whole turn: some models use the same id in every step
  const answered = new Set(
    turn.slice(last + 1).flatMap((message) => (message.role === "toolResult" ? [message.toolCallId] : [])),
  );
  const firstIndex = countCalls(turn.slice(0, last));
  const calls = step.content.filter((block) => block.type === "toolCall");
  for (const [index, call] of calls.entries()) {
    if (answered.has(call.id)) continue;
    signal.throwIfAborted();
    yield { type: "toolStart", callId: call.id, name: call.name, args: call.arguments };
    const raw = call.arguments[brokenArguments];
    const outcome = await abortable(
      dependencies.runTool(
        {
          id: call.id,
          name: call.name,
          arguments: typeof raw === "string" ? undefined : call.arguments,
          raw: typeof raw === "string" ? raw : "",
        },
        {
          runId: request.runId,
          effectKey: `${request.runId}:${firstIndex + index}`,
          sessionKey: request.sessionKey,
          agentId: request.agentId,
          origin: request.origin,
          model: `${step.provider}/${step.model}`,
          isOwner: request.isOwner,
          trace: request.trace,
        },
        signal,
      ),
      signal,
    );
    await store({
      role: "toolResult",
      toolCallId: call.id,
      toolName: call.name,
      isError: outcome.isError,
      timestamp: dependencies.clock.now(),
      content: [{ type: "text", text: outcome.text }],
    });
    yield { type: "toolResult", callId: call.id, name: call.name, isError: outcome.isError, result: outcome.text };
  }
}

/** Where the transcript keeps arguments that were no JSON: they are refused when the call is run, and shown to the model as they were. */
const brokenArguments = "__unparsed";

function toMessage(answer: Answer, timestamp: number): AssistantMessage {
  const calls: ContentBlock[] = answer.toolCalls.map((call) => ({
    type: "toolCall",
    id: call.id,
    name: call.name,
    arguments: call.arguments ?? { [brokenArguments]: call.raw },
  }));
  return {
    role: "assistant",
    content: [...(answer.text === "" ? [] : [{ type: "text" as const, text: answer.text }]), ...calls],
    timestamp,
    provider: answer.model.provider,
    model: answer.model.id,
    usage: answer.usage,
    stopReason: answer.stopReason,
  };
}

function countCalls(messages: readonly TranscriptMessage[]): number {
  return messages.flatMap((message) => message.content.filter((block) => block.type === "toolCall")).length;
}

function countSteps(turn: readonly TranscriptMessage[]): number {
  return turn.filter((message) => message.role === "assistant").length;
}

function toReason(reason: unknown): Extract<TurnEvent, { type: "aborted" }>["reason"] {
  return reason === "stop" || reason === "shutdown" || reason === "superseded" ? reason : "rpc";
}

function timedOut(request: TurnRequest): TurnEvent {
  const seconds = Math.round(request.timeoutMs / 1000);
  return {
    type: "failed",
    fault: new Fault("agent_timeout", `the agent did not answer within ${seconds} s`, {
      next: "ask again, or raise agents.defaults.timeoutSeconds",
    }),
    notice: `I did not finish within ${seconds} seconds and stopped. Please try again, perhaps with a smaller question.`,
  };
}

function allFailed({ reason, retryAfterMs }: { reason: string; retryAfterMs: number | undefined }): TurnEvent {
  const minutes = retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 60_000));
  const again =
    minutes === undefined
      ? "Please try again later."
      : `It should work again in about ${minutes} minute${minutes === 1 ? "" : "s"}.`;
  return {
    type: "failed",
    fault: new Fault("agent_failed", `no model could answer: ${reason}`, {
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      next: "see agents.defaults.model and the provider's key",
    }),
    notice: `I cannot answer right now: ${reason}. ${again}`,
  };
}

function refused(): TurnEvent {
  return {
    type: "failed",
    fault: new Fault("agent_failed", "the model refused to answer"),
    notice: "The model refused to answer this message.",
  };
}

function broken(error: unknown): TurnEvent {
  return {
    type: "failed",
    fault: toFault(error),
    notice: "Something went wrong on my side while answering. The owner can see why in the log.",
  };
}
