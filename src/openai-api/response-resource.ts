// A response as its client sees it: every field that the OpenResponses specification names, null where it does not apply.

import type { TurnOutcome } from "../conversation/store/turns.ts";
import type { ResponseRequest } from "./response-request.ts";
import { isRecord } from "../base/json.ts";

export type OutputItem = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };

export interface ResponseHead {
  readonly id: string;
  /** s since the epoch */
  readonly createdAt: number;
  readonly request: ResponseRequest;
}

export interface ResponseState {
  readonly status: "in_progress" | "completed" | "incomplete" | "failed";
  readonly completedAt?: number;
  readonly output?: readonly OutputItem[];
  readonly outcome?: TurnOutcome;
  readonly error?: { readonly code: string; readonly message: string };
}

export function toResource({ id, createdAt, request }: ResponseHead, state: ResponseState): Record<string, unknown> {
  const { body } = request;
  const given = (key: string, otherwise: unknown = null) => body[key] ?? otherwise;
  return {
    id,
    object: "response",
    created_at: createdAt,
    completed_at: state.completedAt ?? null,
    status: state.status,
    incomplete_details: state.status === "incomplete" ? { reason: "max_output_tokens" } : null,
    model: request.model,
    previous_response_id: request.previousId ?? null,
    instructions: given("instructions"),
    output: state.output ?? [],
    error: state.error ?? null,
    tools: request.functions.map(({ name, description, parameters }) => ({
      type: "function",
      name,
      description,
      parameters,
      strict: false,
    })),
    tool_choice:
      typeof request.functionChoice === "string"
        ? request.functionChoice
        : { type: "function", ...request.functionChoice },
    truncation: given("truncation", "disabled"),
    parallel_tool_calls: given("parallel_tool_calls", true),
    text: { format: { type: "text" }, ...(isRecord(body["text"]) ? body["text"] : {}) },
    top_p: given("top_p", 1),
    presence_penalty: given("presence_penalty", 0),
    frequency_penalty: given("frequency_penalty", 0),
    top_logprobs: given("top_logprobs", 0),
    temperature: given("temperature", 1),
    reasoning: { effort: null, summary: null, ...(isRecord(body["reasoning"]) ? body["reasoning"] : {}) },
    usage: state.outcome ? toUsage(state.outcome) : null,
    max_output_tokens: given("max_output_tokens"),
    max_tool_calls: given("max_tool_calls"),
    store: request.isStored,
    background: false,
    service_tier: "default",
    metadata: given("metadata", {}),
    safety_identifier: given("safety_identifier"),
    prompt_cache_key: given("prompt_cache_key"),
    user: given("user"),
  };
}

function toUsage({ usage }: TurnOutcome) {
  const { input = 0, output = 0, cacheRead = 0, totalTokens = input + output } = usage ?? {};
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cacheRead },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: totalTokens,
  };
}

/** `number` counts the items of the response: an item's id tells where it is kept. */
export const itemId = (responseId: string, kind: "msg" | "fc", number: number): string =>
  `${kind}_${responseId.replace(/^resp_/u, "")}_${number}`;

/** The response that an item belongs to. */
export const responseOfItem = (id: string): string => `resp_${id.replace(/^[a-z]+_/u, "").replace(/_\d+$/u, "")}`;

export function messageItem(id: string, text: string | undefined, status: string): OutputItem {
  const content = text === undefined ? [] : [textPart(text)];
  return { id, type: "message", status, role: "assistant", content };
}

export const textPart = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] });

export function callItem(
  id: string,
  call: { readonly id: string; readonly name: string },
  { args, status }: { readonly args: string; readonly status: string },
): OutputItem {
  return { id, type: "function_call", status, call_id: call.id, name: call.name, arguments: args };
}

/** All that a finished run gave: its words, and the calls that the client is asked to do. */
export function outputOf(responseId: string, text: string, outcome: TurnOutcome): OutputItem[] {
  const { calls = [], stopReason } = outcome;
  const status = stopReason === "length" ? "incomplete" : "completed";
  const hasWords = text !== "" || calls.length === 0;
  return [
    ...(hasWords ? [messageItem(itemId(responseId, "msg", 0), text, status)] : []),
    ...calls.map((call, index) =>
      callItem(itemId(responseId, "fc", index + Number(hasWords)), call, {
        args: JSON.stringify(call.arguments),
        status: "completed",
      }),
    ),
  ];
}
