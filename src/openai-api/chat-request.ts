// The body of POST /v1/chat/completions. Keys that are not known are passed over, as clients of several ages send them.

import {
  asFlag,
  asList,
  asNumber,
  asObject,
  asText,
  asWhole,
  optional,
  refuseField,
  type Body,
} from "../base/fields.ts";
import { isRecord, type JsonObject } from "../base/json.ts";
import type { Sampling } from "../ports/model.ts";
import { readMessages, type ChatMessages } from "./chat-messages.ts";
import { readChoice, readFunctions } from "./functions.ts";
import type { Wishes } from "./run-request.ts";
import type { SourceLimits } from "./source.ts";

export interface ChatRequest extends ChatMessages, Wishes {
  readonly model: string;
  readonly user: string | undefined;
  readonly isStreamed: boolean;
  readonly hasUsage: boolean;
}

const maxStops = 4;

/** @throws Fault `invalid_params` naming the field. */
export function readChatRequest(value: unknown, limits: SourceLimits): ChatRequest {
  const body = asObject(value, "the body");
  if ((optional(body, "n", asWhole(1)) ?? 1) !== 1) throw refuseField("n", "must be 1: an agent has one answer");
  const functions = optional(body, "tools", readFunctions) ?? [];
  const isStreamed = optional(body, "stream", asFlag) ?? false;
  return {
    model: asText(body["model"], "model"),
    user: optional(body, "user", readUser),
    isStreamed,
    hasUsage: isStreamed && isRecord(body["stream_options"]) && body["stream_options"]["include_usage"] === true,
    functions,
    functionChoice: optional(body, "tool_choice", (choice) => readChoice(choice, functions)) ?? "auto",
    thinking: optional(body, "reasoning_effort", readEffort),
    sampling: readSampling(body),
    ...readMessages(body["messages"], limits),
  };
}

/** @throws Fault unless it is a short text. */
export function readUser(value: unknown, field: string): string {
  const user = asText(value, field);
  if (user.trim() === "" || user.length > 200) throw refuseField(field, "must have 1 to 200 characters");
  return user;
}

function readSampling(body: Body): Sampling {
  const some = <Key extends keyof Sampling>(key: Key, value: Sampling[Key] | undefined) =>
    value === undefined ? {} : { [key]: value };
  const limit = asWhole(1);
  return {
    ...some("maxOutputTokens", optional(body, "max_completion_tokens", limit) ?? optional(body, "max_tokens", limit)),
    ...some("temperature", optional(body, "temperature", asNumber(0, 2))),
    ...some("topP", optional(body, "top_p", asNumber(0, 1))),
    ...some("frequencyPenalty", optional(body, "frequency_penalty", asNumber(-2, 2))),
    ...some("presencePenalty", optional(body, "presence_penalty", asNumber(-2, 2))),
    ...some("seed", optional(body, "seed", asWhole(Number.MIN_SAFE_INTEGER))),
    ...some("stop", optional(body, "stop", readStops)),
    ...some("responseFormat", optional(body, "response_format", readFormat)),
  };
}

/** @throws Fault `invalid_params` */
export function readEffort(value: unknown, field: string): string {
  const effort = asText(value, field);
  if (!["none", "minimal", "low", "medium", "high", "xhigh"].includes(effort))
    throw refuseField(field, "must be none, minimal, low, medium, high or xhigh");
  return effort === "none" ? "off" : effort;
}

function readStops(value: unknown, field: string): readonly string[] {
  const stops = typeof value === "string" ? [value] : asList(value, field).map((stop) => asText(stop, field));
  if (stops.length > maxStops) throw refuseField(field, `has more than ${maxStops} entries`);
  return stops;
}

function readFormat(value: unknown, field: string): Sampling["responseFormat"] {
  const format = asObject(value, field);
  switch (format["type"]) {
    case "text":
      return undefined;
    case "json_object":
      return { type: "json" };
    case "json_schema": {
      const schema = asObject(format["json_schema"], `${field}.json_schema`);
      // JSON, as it came
      const own = optional(schema, "schema", asObject) as JsonObject | undefined;
      return {
        type: "json",
        ...(own ? { schema: own } : {}),
        name: asText(schema["name"], `${field}.json_schema.name`),
      };
    }
    default:
      throw refuseField(`${field}.type`, "must be text, json_object or json_schema");
  }
}
