// A tool's parameter schema as a check. Loads ajv, so it is imported at the first tool call and not before.

import { Ajv } from "ajv";

import type { JsonObject } from "../base/json.ts";

/** @returns what does not fit, in one line; undefined when all does. */
export type CheckArguments = (value: unknown) => string | undefined;

/** @throws Error for a schema that is none: a bug of the tool. */
export function compileSchema(schema: JsonObject): CheckArguments {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);
  return (value) => {
    if (validate(value)) return undefined;
    const problems = validate.errors ?? [];
    return problems.map((problem) => `${problem.instancePath || "arguments"} ${problem.message ?? ""}`).join("; ");
  };
}
