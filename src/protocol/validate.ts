// Checks what strangers send, with validators compiled from the schemas. Issue texts have the form that clients of the protocol
// know: `at /client: must have required property 'id'; at root: …`.

import * as requests from "./generated/requests.js";
import type { Problem, Validator } from "./generated/requests.js";

export interface Issue {
  /** All problems in one line. */
  readonly text: string;
  /** The first field concerned, dotted; undefined for the root. */
  readonly field: string | undefined;
}

// the module's exports are validators, named by the same rule as in scripts/compile-validators
const byName = requests as unknown as Readonly<Record<string, Validator | undefined>>;

/** undefined: the value is valid. */
export function checkWith(validator: Validator, value: unknown): Issue | undefined {
  if (validator(value)) return undefined;
  const problems = validator.errors ?? [];
  return {
    text: problems.slice(0, 8).map(renderProblem).join("; ") || "invalid",
    field: problems[0] && fieldOf(problems[0]),
  };
}

export const validateFrame = (value: unknown): Issue | undefined => checkWith(requests.validate_frame, value);

export const validateConnect = (value: unknown): Issue | undefined => checkWith(requests.validate_connect, value);

/** `method` must be one of the contract's. */
export function validateParams(method: string, value: unknown): Issue | undefined {
  const validator = byName[`validate_params_${method.replaceAll(/[^a-zA-Z0-9]/gu, "_")}`];
  return validator ? checkWith(validator, value) : { text: `no schema for ${method}`, field: undefined };
}

function renderProblem(problem: Problem): string {
  const { keyword, params, message = "invalid" } = problem;
  const place = problem.instancePath === "" ? "at root" : `at ${problem.instancePath}`;
  if (keyword === "required") return problem.instancePath === "" ? message : `${place}: ${message}`;
  if (keyword === "additionalProperties")
    return `${place}: unexpected property '${String(params["additionalProperty"])}'`;
  return `${place}: ${message}`;
}

function fieldOf(problem: Problem): string | undefined {
  const path = problem.instancePath.split("/").filter((part) => part !== "");
  if (problem.keyword === "required") path.push(String(problem.params["missingProperty"]));
  return path.length > 0 ? path.join(".") : undefined;
}
