// The part of the history that fits the model's window. Oldest turns go first, whole; huge tool results are cut before that; a tool
// call is never parted from its result. Pure but for the estimate, which is given (R18).

import type { ContentBlock, TranscriptMessage } from "../ports/turn.ts";

export interface ContextBudget {
  /** Tokens for history and the turn's own messages together. */
  readonly tokens: number;
  readonly estimate: (text: string) => number;
}

/** Characters left of a tool result that is cut: its head and its tail. */
const cutResultTo = 4_000;
const perMessageTokens = 8;
/** A picture's price is not in its bytes. */
const imageTokens = 1_600;

/**
 * `turn` (this turn's own messages) is kept whole but for its tool results, which are cut when nothing else helps.
 */
export function fitContext(
  history: readonly TranscriptMessage[],
  turn: readonly TranscriptMessage[],
  budget: ContextBudget,
): TranscriptMessage[] {
  const cost = (messages: readonly TranscriptMessage[]) =>
    messages.reduce((sum, message) => sum + estimateMessage(message, budget.estimate), 0);
  let own = [...turn];
  let left = budget.tokens - cost(own);
  if (left < 0) {
    own = own.map(cutResult);
    left = budget.tokens - cost(own);
  }
  const kept: TranscriptMessage[][] = [];
  for (const group of groupTurns(repairPairs(history)).toReversed()) {
    const whole = cost(group);
    const fitting = whole <= left ? group : group.map(cutResult);
    const price = fitting === group ? whole : cost(fitting);
    if (price > left) break;
    left -= price;
    kept.unshift(fitting);
  }
  // only the oldest group of all can begin without a question; some providers refuse a conversation that the model begins
  const [first] = kept[0] ?? [];
  if (first?.role === "assistant") {
    const opening = openingBefore(first);
    if (cost([opening]) <= left) kept.unshift([opening]);
    else kept.shift();
  }
  return [...kept.flat(), ...repairPairs(own)];
}

function openingBefore({ timestamp }: TranscriptMessage): TranscriptMessage {
  const text = "(What follows begins with something you said earlier.)";
  return { role: "user", content: [{ type: "text", text }], timestamp };
}

export function estimateMessage(message: TranscriptMessage, estimate: (text: string) => number): number {
  return perMessageTokens + message.content.reduce((sum, block) => sum + estimateBlock(block, estimate), 0);
}

function estimateBlock(block: ContentBlock, estimate: (text: string) => number): number {
  switch (block.type) {
    case "text":
      return estimate(block.text);
    case "image":
      return imageTokens;
    case "toolCall":
      return estimate(block.name) + estimate(JSON.stringify(block.arguments));
    case "thinking":
      return 0;
  }
}

/** Each group begins with a user's message: what belongs to one question goes or stays together. */
function groupTurns(messages: readonly TranscriptMessage[]): TranscriptMessage[][] {
  const groups: TranscriptMessage[][] = [];
  for (const message of messages) {
    const last = groups.at(-1);
    if (message.role === "user" || !last) groups.push([message]);
    else last.push(message);
  }
  return groups;
}

function cutResult(message: TranscriptMessage): TranscriptMessage {
  if (message.role !== "toolResult") return message;
  return {
    ...message,
    content: message.content.map((block) =>
      block.type === "text" && block.text.length > cutResultTo ? { ...block, text: cutText(block.text) } : block,
    ),
  };
}

function cutText(text: string): string {
  const half = cutResultTo / 2;
  return `${text.slice(0, half)}\n[… ${text.length - cutResultTo} characters left out …]\n${text.slice(-half)}`;
}

/** Calls without a result get one that says so; results without a call are left out. Providers refuse both. */
export function repairPairs(messages: readonly TranscriptMessage[]): TranscriptMessage[] {
  const repaired: TranscriptMessage[] = [];
  for (let index = 0; index < messages.length;) {
    const message = messages[index];
    index += 1;
    if (!message || message.role === "toolResult") continue;
    repaired.push(message);
    if (message.role !== "assistant") continue;

    const results = new Map<string, TranscriptMessage>();
    for (let next = messages[index]; next?.role === "toolResult"; next = messages[index]) {
      results.set(next.toolCallId, next);
      index += 1;
    }
    for (const block of message.content) {
      if (block.type !== "toolCall") continue;
      repaired.push(results.get(block.id) ?? missingResult(block.id, block.name, message.timestamp));
    }
  }
  return repaired;
}

function missingResult(toolCallId: string, toolName: string, timestamp: number): TranscriptMessage {
  return {
    role: "toolResult",
    toolCallId,
    toolName,
    isError: true,
    timestamp,
    content: [{ type: "text", text: "This call was interrupted; its outcome is not known." }],
  };
}
