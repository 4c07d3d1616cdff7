// A chat completion in parts, as server-sent events, and what both forms of the answer have in common.

import { Fault } from "../base/fault.ts";
import type { TurnOutcome } from "../conversation/store/turns.ts";
import type { HttpReply, HttpStream } from "../ports/route.ts";
import { renderOpenAiError } from "./errors.ts";
import type { RunEvent } from "./run.ts";

export interface ChatAnswer {
  readonly head: { readonly id: string; readonly created: number; readonly model: string };
  readonly hasUsage: boolean;
  readonly reply: HttpReply;
}

/** Until something was said, a failure is an answer of its own; afterwards it is a line of the stream. */
export async function streamChat(events: AsyncIterable<RunEvent>, answer: ChatAnswer): Promise<void> {
  const lines = createLines(answer);
  try {
    for await (const event of events) await tell(event, lines, answer);
    await lines.say("[DONE]");
  } catch (error) {
    if (!lines.isBegun() || !(error instanceof Fault)) throw error;
    await lines.say(JSON.stringify(renderOpenAiError(error)));
  }
  lines.end();
}

async function tell(event: RunEvent, lines: Lines, { hasUsage }: ChatAnswer): Promise<void> {
  switch (event.type) {
    case "waiting":
      await lines.comment("still working");
      break;
    case "taken-back":
      throw new Fault("agent_failed", "the model broke off in the middle of its answer", { next: "ask again" });
    case "text":
      await lines.delta({ content: event.delta });
      break;
    case "end": {
      const calls = toCalls(event.outcome).map((call, index) => ({ index, ...call }));
      if (calls.length > 0) await lines.delta({ tool_calls: calls });
      await lines.delta({}, finishReason(event.outcome));
      if (hasUsage) await lines.usage(toUsage(event.outcome));
    }
  }
}

interface Lines {
  isBegun(): boolean;
  say(data: string): Promise<void>;
  comment(text: string): Promise<void>;
  delta(delta: object, finish?: string): Promise<void>;
  usage(usage: object): Promise<void>;
  end(): void;
}

/** Begins the stream with its first line, and what is said with the role of who says it. */
function createLines({ head, hasUsage, reply }: ChatAnswer): Lines {
  let stream: HttpStream | undefined;
  let hasRole = false;
  const write = async (line: string) => {
    stream ??= reply.stream(200, { "content-type": "text/event-stream; charset=utf-8" });
    // a client that has gone aborts the run; there is nothing else to do about it
    await stream.write(`${line}\n\n`);
  };
  const say = (data: string) => write(`data: ${data}`);
  const chunk = (choices: readonly object[], usage: object | null) =>
    say(JSON.stringify({ ...head, object: "chat.completion.chunk", choices, ...(hasUsage ? { usage } : {}) }));
  const choice = (delta: object, finish: string | null) => [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return {
    isBegun: () => stream !== undefined,
    say,
    comment: (text) => write(`: ${text}`),
    async delta(delta, finish) {
      if (!hasRole) await chunk(choice({ role: "assistant", content: "" }, null), null);
      hasRole = true;
      await chunk(choice(delta, finish ?? null), null);
    },
    usage: (usage) => chunk([], usage),
    end: () => stream?.end(),
  };
}

/** The calls that the client is asked to do. */
export function toCalls({ calls = [] }: TurnOutcome) {
  return calls.map((call) => ({
    id: call.id,
    type: "function",
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }));
}

export function finishReason({ calls = [], stopReason }: TurnOutcome): string {
  if (calls.length > 0) return "tool_calls";
  if (stopReason === "length") return "length";
  return stopReason === "refused" ? "content_filter" : "stop";
}

export function toUsage({ usage }: TurnOutcome) {
  const { input = 0, output = 0, cacheRead = 0, totalTokens = input + output } = usage ?? {};
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: totalTokens,
    prompt_tokens_details: { cached_tokens: cacheRead },
  };
}
