// The built-in demonstration that answers when no model is set up. There is no AI behind it and it says so; it goes through the
// same loop as any model, streaming and calling a tool.

import { sleep, type Clock } from "../../base/clock.ts";
import type { Model, ModelEvent, ModelRequest } from "../../ports/model.ts";
import type { TranscriptMessage } from "../../ports/turn.ts";
import type { ModelSpec } from "../models.ts";

/** Between words: visible streaming, yet quick. */
const wordPauseMs = 5;

export function openOffline(spec: ModelSpec, clock: Clock): Model {
  return {
    provider: spec.provider,
    id: spec.model,
    contextWindow: spec.contextWindow,
    maxOutputTokens: spec.maxOutputTokens,
    stream: (request) => answer(request, clock),
  };
}

async function* answer(request: ModelRequest, clock: Clock): AsyncGenerator<ModelEvent> {
  const words = decideWords(request);
  if (words === undefined) {
    yield { type: "toolCall", id: `call_${request.messages.length}`, name: "session_status", arguments: {}, raw: "{}" };
    yield { type: "end", usage: countUsage(request, ""), stopReason: "tool" };
    return;
  }
  for (const word of words.split(/(?<=\s)/u)) {
    if (request.signal.aborted) {
      yield { type: "failed", failure: "bug", reason: "aborted" };
      return;
    }
    yield { type: "text", delta: word };
    await sleep(clock, wordPauseMs, request.signal);
  }
  yield { type: "end", usage: countUsage(request, words), stopReason: "stop" };
}

/** What to say; undefined means: call the tool first. */
function decideWords(request: ModelRequest): string | undefined {
  const last = request.messages.at(-1);
  if (last?.role === "toolResult")
    return `Here is what the session_status tool says:\n\n\`\`\`\n${textOf(last)}\n\`\`\``;

  const said = last ? textOf(last).trim() : "";
  const wish = said.toLowerCase();
  if (/\b(?:status|time|session)\b/u.test(wish) && request.tools.some((tool) => tool.name === "session_status"))
    return undefined;
  if (/^(?:\/?help|hi|hello|hey|\/start)\b/u.test(wish) || said === "") return introduction;
  return `You said: ${said}\n\n${notice}`;
}

const notice =
  "(This is the built-in offline demo: no AI model is set up yet. Say *help* to see how to set one, or *status* to see a tool call.)";

const introduction = [
  "Hello! I am the **built-in offline demo**. There is no AI behind me: I only show that your Gateway works, from message to reply.",
  "To get real answers, set a model and its key, then restart the Gateway:",
  '```json5\n// in the config file\n{ agents: { defaults: { model: "anthropic/claude-opus-4-5" } } }\n```',
  "and `ANTHROPIC_API_KEY` in the environment (or `OPENAI_API_KEY`, `GEMINI_API_KEY`). A local server works without a key:",
  '```json5\n{\n  agents: { defaults: { model: "ollama/llama3.2" } },\n  models: { providers: { ollama: { baseUrl: "http://127.0.0.1:11434/v1" } } },\n}\n```',
  "Meanwhile, say *status* and I will call a tool for you.",
].join("\n\n");

function textOf(message: TranscriptMessage): string {
  return message.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
}

/** Words, counted honestly as words: the demo has no tokens. */
function countUsage(request: ModelRequest, words: string) {
  const count = (text: string) => text.split(/\s+/u).filter(Boolean).length;
  const input = request.messages.reduce((sum, message) => sum + count(textOf(message)), 0);
  const output = count(words);
  return { input, output, cacheRead: 0, cacheWrite: 0, totalTokens: input + output };
}
