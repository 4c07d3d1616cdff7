// A provider package's model behind our own port: transcript -> its prompt, its stream parts -> our events. Only the provider
// layer of those packages is used; the loop, retries and failover are ours.

import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Message,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";

import { isRecord } from "../../base/json.ts";
import type { EgressFetch } from "../../platform/egress.ts";
import type { Model, ModelEvent, ModelRequest, Sampling, ToolChoice } from "../../ports/model.ts";
import type { TranscriptMessage, Usage } from "../../ports/turn.ts";
import type { ModelSpec } from "../models.ts";
import { classifyFailure } from "./failure.ts";

/** The packages type their option as the global fetch; ours takes and gives the same. */
export function adaptFetch(fetch: EgressFetch): typeof globalThis.fetch {
  return fetch as typeof globalThis.fetch;
}

export function wrapLanguageModel(spec: ModelSpec, model: LanguageModelV4): Model {
  return {
    provider: spec.provider,
    id: spec.model,
    contextWindow: spec.contextWindow,
    maxOutputTokens: spec.maxOutputTokens,
    async *stream(request) {
      try {
        const { stream } = await model.doStream({ ...toCallOptions(request), ...traceHeaders(spec, request) });
        yield* toEvents(stream);
      } catch (error) {
        if (request.signal.aborted) yield { type: "failed", failure: "bug", reason: "aborted" };
        else yield { type: "failed", ...classifyFailure(error) };
      }
    },
  };
}

/** A server that the owner named may go on with the trace; the public ones of the providers have no part in it. */
function traceHeaders({ baseUrl }: ModelSpec, { trace }: ModelRequest): Pick<LanguageModelV4CallOptions, "headers"> {
  return baseUrl === undefined || trace === undefined ? {} : { headers: { traceparent: trace } };
}

function toCallOptions(request: ModelRequest): LanguageModelV4CallOptions {
  return {
    prompt: [{ role: "system", content: request.system }, ...toPrompt(request.messages)],
    maxOutputTokens: request.maxOutputTokens,
    abortSignal: request.signal,
    ...(request.tools.length > 0
      ? {
          // our JSON objects are JSON Schemas by the port's promise
          tools: request.tools.map((tool) => ({
            type: "function" as const,
            name: tool.name,
            description: tool.description,
            inputSchema: tool.parameters as object,
          })),
          toolChoice: toToolChoice(request.toolChoice ?? "auto"),
        }
      : {}),
    ...toSampling(request.sampling ?? {}),
    ...(request.thinking ? { reasoning: toReasoning(request.thinking) } : {}),
  };
}

function toToolChoice(choice: ToolChoice): NonNullable<LanguageModelV4CallOptions["toolChoice"]> {
  return typeof choice === "string" ? { type: choice } : { type: "tool", toolName: choice.name };
}

function toSampling({
  maxOutputTokens: _decidedByTheCaller,
  stop,
  responseFormat,
  ...rest
}: Sampling): Partial<LanguageModelV4CallOptions> {
  return {
    ...rest,
    ...(stop ? { stopSequences: [...stop] } : {}),
    // our JSON objects are JSON Schemas by the port's promise
    ...(responseFormat ? { responseFormat: { ...responseFormat, schema: responseFormat.schema as object } } : {}),
  };
}

function toReasoning(level: string): NonNullable<LanguageModelV4CallOptions["reasoning"]> {
  switch (level) {
    case "off":
      return "none";
    case "minimal":
    case "low":
    case "medium":
    case "high":
    case "xhigh":
      return level;
    default:
      return "provider-default";
  }
}

/** Neighbouring user messages become one, neighbouring tool results too: some providers insist on turns. */
export function toPrompt(messages: readonly TranscriptMessage[]): LanguageModelV4Message[] {
  const prompt: LanguageModelV4Message[] = [];
  for (const message of messages) {
    const next = toPromptMessage(message);
    const last = prompt.at(-1);
    if (last && last.role === next.role && last.role !== "system" && next.role !== "system") {
      // same role, so the same kind of parts
      (last.content as unknown[]).push(...next.content);
    } else prompt.push(next);
  }
  return prompt.filter((message) => message.content.length > 0);
}

type UserPart = Extract<LanguageModelV4Message, { role: "user" }>["content"][number];
type AssistantPart = Extract<LanguageModelV4Message, { role: "assistant" }>["content"][number];

function toPromptMessage(message: TranscriptMessage): LanguageModelV4Message {
  switch (message.role) {
    case "user":
      return {
        role: "user",
        content: message.content.flatMap((block): UserPart[] => {
          if (block.type === "text" && block.text !== "") return [{ type: "text" as const, text: block.text }];
          if (block.type === "image")
            return [
              { type: "file" as const, data: { type: "data" as const, data: block.data }, mediaType: block.mimeType },
            ];
          return [];
        }),
      };
    case "assistant":
      return {
        role: "assistant",
        // thinking is left out: its signatures are only good for the provider and model that made them
        content: message.content.flatMap((block): AssistantPart[] => {
          if (block.type === "text" && block.text !== "") return [{ type: "text" as const, text: block.text }];
          if (block.type === "toolCall")
            return [{ type: "tool-call" as const, toolCallId: block.id, toolName: block.name, input: block.arguments }];
          return [];
        }),
      };
    case "toolResult":
      return {
        role: "tool",
        content: [
          {
            type: "tool-result",
            toolCallId: message.toolCallId,
            toolName: message.toolName,
            output: { type: message.isError ? "error-text" : "text", value: textOf(message) },
          },
        ],
      };
  }
}

function textOf(message: TranscriptMessage): string {
  return message.content.map((block) => (block.type === "text" ? block.text : `[${block.type}]`)).join("\n");
}

async function* toEvents(stream: ReadableStream<LanguageModelV4StreamPart>): AsyncGenerator<ModelEvent> {
  for await (const part of stream) {
    switch (part.type) {
      case "text-delta":
        if (part.delta !== "") yield { type: "text", delta: part.delta };
        break;
      case "reasoning-delta":
        if (part.delta !== "") yield { type: "thinking", delta: part.delta };
        break;
      case "tool-call":
        yield {
          type: "toolCall",
          id: part.toolCallId,
          name: part.toolName,
          raw: part.input,
          arguments: parseArguments(part.input),
        };
        break;
      case "error":
        yield { type: "failed", ...classifyFailure(part.error) };
        return;
      case "finish":
        yield finish(part);
        return;
      default:
        break;
    }
  }
  yield { type: "failed", failure: "retry", reason: "the model's answer broke off" };
}

function finish(part: Extract<LanguageModelV4StreamPart, { type: "finish" }>): ModelEvent {
  const usage = toUsage(part.usage);
  switch (part.finishReason.unified) {
    case "length":
      return { type: "end", usage, stopReason: "length" };
    case "tool-calls":
      return { type: "end", usage, stopReason: "tool" };
    case "content-filter":
      return { type: "end", usage, stopReason: "refused" };
    case "error":
    case "interrupted":
      return { type: "failed", failure: "retry", reason: "the model's answer broke off" };
    default:
      return { type: "end", usage, stopReason: "stop" };
  }
}

function toUsage({ inputTokens, outputTokens }: LanguageModelV4Usage): Usage {
  const input = inputTokens.total ?? 0;
  const output = outputTokens.total ?? 0;
  return {
    input,
    output,
    cacheRead: inputTokens.cacheRead ?? 0,
    cacheWrite: inputTokens.cacheWrite ?? 0,
    totalTokens: input + output,
  };
}

/** undefined for broken JSON: the tool must not run with half of its arguments. */
function parseArguments(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text.trim() === "" ? "{}" : text);
    return isRecord(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
