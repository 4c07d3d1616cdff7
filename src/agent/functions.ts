// Functions that a client brings with its request: the model may call them, the client does them. Pure.

import type { ModelTool, ToolChoice } from "../ports/model.ts";
import type { AssistantMessage, ContentBlock, TranscriptMessage, TurnRequest } from "../ports/turn.ts";

export interface Offer {
  readonly tools: readonly ModelTool[];
  readonly choice: ToolChoice;
}

/** What a model is offered: our tools and the client's functions, or the functions alone when it has to call one of them. */
export function decideOffer(own: readonly ModelTool[], request: TurnRequest): Offer {
  const { functions = [], functionChoice = "auto" } = request;
  if (functions.length === 0 || functionChoice === "none") return { tools: own, choice: "auto" };
  // a name of the client's hides ours: it is the client who knows what it means in this conversation
  const names = new Set(functions.map(({ name }) => name));
  if (functionChoice === "auto")
    return { tools: [...own.filter(({ name }) => !names.has(name)), ...functions], choice: "auto" };
  return { tools: functions, choice: functionChoice };
}

/** The message with the client's calls alone; undefined when there is none, and the turn goes on. */
export function toClientCalls(message: AssistantMessage, request: TurnRequest): AssistantMessage | undefined {
  const names = new Set((request.functions ?? []).map(({ name }) => name));
  const isTheirs = (block: ContentBlock) => block.type === "toolCall" && names.has(block.name);
  if (!message.content.some(isTheirs)) return undefined;
  return { ...message, content: message.content.filter((block) => block.type !== "toolCall" || isTheirs(block)) };
}

/** Calls and their results stay together, whatever of the history is left out: the calls belong to the turn that has the results. */
export function splitHistory({ history, functionResults = [] }: TurnRequest): {
  readonly history: readonly TranscriptMessage[];
  readonly calls: readonly TranscriptMessage[];
} {
  const last = history.at(-1);
  const isAnswered = functionResults.length > 0 && last?.role === "assistant";
  return isAnswered ? { history: history.slice(0, -1), calls: [last] } : { history, calls: [] };
}
