// Checks what strangers send, with validators compiled from the schemas. Issue texts have the form that clients of the protocol
// know: `at /client: must have required property 'id'`, several joined by `; `, and no place before what concerns the root.

import { ellipsize } from "../base/text.ts";
import * as requests from "./generated/requests.js";
import type { Problem, Validator } from "./generated/requests.js";

export interface Issue {
  /** All problems in one line. */
  readonly text: string;
  /** The first field concerned, dotted; undefined for the root. */
  readonly field: string | undefined;
}

const maxProblems = 8;
/** Names that a stranger chose come back in the text. */
const maxTextLength = 1_000;

// the module's exports are validators, named by the same rule as in scripts/compile-validators
const byName = requests as unknown as Readonly<Record<string, Validator | undefined>>;

/** undefined: the value is valid. */
export function checkWith(validator: Validator, value: unknown): Issue | undefined {
  if (validator(value)) return undefined;
  const problems = validator.errors ?? [];
  // a compiled validator keeps its problems until the next value: a stranger's would stay in memory
  validator.errors = null;
  return {
    text: ellipsize(problems.slice(0, maxProblems).map(renderProblem).join("; "), maxTextLength) || "invalid",
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

function renderProblem({ instancePath, keyword, params, message = "invalid" }: Problem): string {
  if (keyword === "additionalProperties") {
    return `at ${instancePath || "root"}: unexpected property '${String(params["additionalProperty"])}'`;
  }
  return instancePath === "" ? message : `at ${instancePath}: ${message}`;
}

function fieldOf(problem: Problem): string | undefined {
  // a JSON pointer writes `/` within a name as `~1` and `~` as `~0`
  const path = problem.instancePath.split("/").slice(1);
  const names = path.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (problem.keyword === "required") names.push(String(problem.params["missingProperty"]));
  return names.length > 0 ? ellipsize(names.join("."), maxTextLength) : undefined;
}
