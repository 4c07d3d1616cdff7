// A turn runner that follows a script: for tests of what surrounds a turn.

import type { AssistantMessage, TurnEvent, TurnRequest, TurnRunner } from "../../src/ports/turn.ts";

export function assistantMessage(text: string, timestamp = 1): AssistantMessage {
  return {
    role: "assistant",
    content: [{ type: "text", text }],
    timestamp,
    provider: "scripted",
    model: "test",
    usage: { input: 1, output: 1, cacheRead: 0, cacheWrite: 0, totalTokens: 2 },
    stopReason: "stop",
  };
}

/** Answers every turn with `answer(request)`, in one piece; stores the user's message first, as the agent does. */
export function createScriptedRunner(answer: (request: TurnRequest) => Promise<string> | string): TurnRunner {
  return async function* run(request): AsyncGenerator<TurnEvent> {
    yield { type: "start", startedAt: 1 };
    if (request.done.length === 0) {
      await request.checkpoint([{ role: "user", content: [{ type: "text", text: request.text }], timestamp: 1 }]);
    }
    const text = await answer(request);
    if (request.signal.aborted) {
      yield { type: "aborted", reason: request.signal.reason as "rpc", partialText: "" };
      return;
    }
    yield { type: "text", text, delta: text };
    yield { type: "end", message: assistantMessage(text) };
  };
}
