// A client's functions, in the nested form of chat completions and the flat one of responses, and its choice among them.

import { asList, asObject, asText, optional, refuseField } from "../base/fields.ts";
import { isRecord, type JsonObject } from "../base/json.ts";
import type { ModelTool, ToolChoice } from "../ports/model.ts";

const maxFunctions = 128;
const namePattern = /^[a-zA-Z0-9_-]{1,64}$/u;

/** @throws Fault `invalid_params` */
export function readFunctions(value: unknown): readonly ModelTool[] {
  const tools = asList(value, "tools");
  if (tools.length > maxFunctions) throw refuseField("tools", `has more than ${maxFunctions} entries`);
  const functions = tools.map((tool, index) => readFunction(tool, `tools[${index}]`));
  const double = functions.find(({ name }, index) => functions.findIndex((other) => other.name === name) !== index);
  if (double) throw refuseField("tools", `names ${double.name} twice`);
  return functions;
}

function readFunction(value: unknown, field: string): ModelTool {
  const tool = asObject(value, field);
  if (tool["type"] !== "function") throw refuseField(`${field}.type`, "must be function");
  const inner = isRecord(tool["function"]) ? tool["function"] : tool;
  const name = readName(inner["name"], `${field}.name`);
  const parameters = optional(inner, "parameters", (schema) => asObject(schema, `${field}.parameters`));
  return {
    name,
    description: optional(inner, "description", asText) ?? "",
    // JSON, as it came
    parameters: (parameters as JsonObject | undefined) ?? { type: "object", properties: {} },
  };
}

function readName(value: unknown, field: string): string {
  const name = asText(value, field);
  if (!namePattern.test(name)) throw refuseField(field, "must be 1 to 64 letters, digits, _ or -");
  return name;
}

/** @throws Fault `invalid_params`, also for a function that was not offered. */
export function readChoice(value: unknown, functions: readonly ModelTool[]): ToolChoice {
  if (value === "auto" || value === "none") return value;
  if (value === "required") {
    if (functions.length === 0) throw refuseField("tool_choice", "is required, and there are no tools");
    return value;
  }
  const choice = asObject(value, "tool_choice");
  const inner = isRecord(choice["function"]) ? choice["function"] : choice;
  const name = readName(inner["name"], "tool_choice.name");
  if (!functions.some((known) => known.name === name))
    throw refuseField("tool_choice", `names ${name}, which is not among the tools`);
  return { name };
}
