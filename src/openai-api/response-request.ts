// The body of POST /v1/responses (OpenResponses specification, "Create Response"). Keys that are not known are passed over.

import { asFlag, asNumber, asObject, asText, asWhole, optional, refuseField, type Body } from "../base/fields.ts";
import { isRecord, type JsonObject } from "../base/json.ts";
import type { Sampling } from "../ports/model.ts";
import { readEffort, readUser } from "./chat-request.ts";
import { readChoice, readFunctions } from "./functions.ts";
import type { Wishes } from "./run-request.ts";

export interface ResponseRequest extends Wishes {
  /** As it came: parts of it are sent back as they were. */
  readonly body: Body;
  readonly model: string;
  readonly user: string | undefined;
  readonly instructions: string;
  readonly isStreamed: boolean;
  readonly isStored: boolean;
  readonly previousId: string | undefined;
}

/** @throws Fault `invalid_params` naming the field. */
export function readResponseRequest(value: unknown): ResponseRequest {
  const body = asObject(value, "the body");
  if (optional(body, "background", asFlag) === true)
    throw refuseField("background", "is not offered: the answer comes with the request");
  if (body["input"] === undefined || body["input"] === null) throw refuseField("input", "is missing");
  const functions = optional(body, "tools", readFunctions) ?? [];
  return {
    body,
    model: asText(body["model"], "model"),
    user: optional(body, "user", readUser),
    instructions: optional(body, "instructions", asText) ?? "",
    isStreamed: optional(body, "stream", asFlag) ?? false,
    isStored: optional(body, "store", asFlag) ?? true,
    previousId: optional(body, "previous_response_id", asText),
    functions,
    functionChoice: optional(body, "tool_choice", (choice) => readChoice(choice, functions)) ?? "auto",
    thinking: isRecord(body["reasoning"]) ? optional(body["reasoning"], "effort", readEffort) : undefined,
    sampling: readSampling(body),
  };
}

function readSampling(body: Body): Sampling {
  const maxOutputTokens = optional(body, "max_output_tokens", asWhole(1));
  const temperature = optional(body, "temperature", asNumber(0, 2));
  const topP = optional(body, "top_p", asNumber(0, 1));
  const presencePenalty = optional(body, "presence_penalty", asNumber(-2, 2));
  const frequencyPenalty = optional(body, "frequency_penalty", asNumber(-2, 2));
  const responseFormat = optional(body, "text", readFormat);
  return {
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(presencePenalty === undefined ? {} : { presencePenalty }),
    ...(frequencyPenalty === undefined ? {} : { frequencyPenalty }),
    ...(responseFormat === undefined ? {} : { responseFormat }),
  };
}

function readFormat(value: unknown, field: string): Sampling["responseFormat"] {
  const format = optional(asObject(value, field), "format", asObject);
  switch (format?.["type"] ?? "text") {
    case "text":
      return undefined;
    case "json_object":
      return { type: "json" };
    case "json_schema": {
      // JSON, as it came
      const schema = asObject(format?.["schema"], `${field}.format.schema`) as JsonObject;
      return { type: "json", schema, name: asText(format?.["name"], `${field}.format.name`) };
    }
    default:
      throw refuseField(`${field}.format.type`, "must be text, json_object or json_schema");
  }
}
