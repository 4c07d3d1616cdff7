// Config text -> config, or the list of all that is wrong with it. Pure: no file is touched here.

import JSON5 from "json5";

import { isRecord, maxJsonDepth } from "../base/json.ts";
import type { Config } from "../settings/config.ts";
import { validate_config } from "../settings/generated/validator.js";
import { explainProblems, type ConfigProblem, type Place } from "./explain.ts";
import { explainConflicts, explainLegacy, migrateLegacy, toOldPlaces } from "./legacy.ts";
import { createPositions } from "./positions.ts";
import { checkRules } from "./rules.ts";
import { fileVariables, substitute } from "./substitute.ts";

export type ParsedConfig =
  | {
      readonly config: Config;
      /** Older keys that were read in their new places, and those that count for nothing. */
      readonly legacy: readonly ConfigProblem[];
    }
  | { readonly problems: readonly ConfigProblem[] };

/** Reads one variable of the process's environment; undefined when it is unset or blank. */
export type Variable = (name: string) => string | undefined;

/** More would not be read anyway. */
const maxProblems = 20;

/** The config of an empty object: every default. */
export function defaultConfig(): Config {
  const parsed = parseConfig("{}", () => undefined);
  if ("config" in parsed) return parsed.config;
  throw new Error(`the defaults are not valid: ${parsed.problems[0]?.message}`);
}

export type ParsedSource<Value = Record<string, unknown>> =
  | { readonly value: Value }
  | { readonly problems: readonly [ConfigProblem, ...ConfigProblem[]] };

/** What the file itself says: nothing filled in, nothing checked but its syntax. */
export function parseSource(text: string): ParsedSource;
/** A part of it may be any value. */
export function parseSource(text: string, options: { isAnyValue: boolean }): ParsedSource<unknown>;
export function parseSource(text: string, { isAnyValue } = { isAnyValue: false }): ParsedSource<unknown> {
  // an empty file is a save that was cut off, not a wish for the defaults
  if (text.replace(/^\uFEFF/u, "").trim() === "") {
    return { problems: [fileProblem("the file is empty", "restore it, or write {} for the defaults")] };
  }
  let value: unknown;
  try {
    value = JSON5.parse(text);
  } catch (error) {
    return { problems: [syntaxProblem(error)] };
  }
  if (!isAnyValue && !isRecord(value))
    return { problems: [fileProblem("the file must hold an object", "wrap its contents in { }")] };
  if (isDeeperThan(value, maxJsonDepth)) {
    return { problems: [fileProblem(`nested deeper than ${maxJsonDepth} levels`, "nothing in a config needs this")] };
  }
  return { value };
}

/** `variable` gives the value for `${NAME}` in strings; the file's own `env` section stands in for what it does not have. */
export function parseConfig(text: string, variable: Variable): ParsedConfig {
  const source = parseSource(text);
  return "problems" in source ? source : checkSource(source.value, createPlace(text), variable);
}

/** The second half of `parseConfig`, for who has the value of the text already. Keys of older programs are read as well. */
export function checkSource(value: Record<string, unknown>, written: Place, variable: Variable): ParsedConfig {
  const migrated = migrateLegacy(value);
  const at = toOldPlaces(migrated, written);
  const early: ConfigProblem[] = [];
  const own = fileVariables(value);
  const filled = substitute(migrated.document, [], {
    variable: (name) => variable(name) ?? (Object.hasOwn(own, name) && own[name] !== "" ? own[name] : undefined),
    home: variable("HOME") ?? variable("USERPROFILE"),
    report: (path, message, next) => early.push(at(path, message, next)),
  });
  if (early.length > 0) return { problems: early.slice(0, maxProblems) };

  if (!validate_config(filled)) {
    const found = explainProblems(validate_config.errors ?? [], at);
    return { problems: explainConflicts(found, migrated, written).slice(0, maxProblems) };
  }
  // the validator has just accepted it and filled the defaults in
  const config = filled as Config;
  const problems = checkRules(config, at);
  if (problems.length > 0) return { problems: problems.slice(0, maxProblems) };
  return { config, legacy: explainLegacy(migrated, written) };
}

/** Positions are looked up only when there is something to say. */
export function createPlace(text: string): Place {
  let position: ReturnType<typeof createPositions> | undefined;
  return (path, message, next) => {
    position ??= createPositions(text);
    return { path: path.join("."), ...position(path), message, next };
  };
}

function fileProblem(message: string, next: string): ConfigProblem {
  return { path: "", line: 1, column: 1, message, next };
}

function syntaxProblem(error: unknown): ConfigProblem {
  // json5 adds these to its SyntaxError
  const { message, lineNumber, columnNumber } = error as {
    message?: string;
    lineNumber?: number;
    columnNumber?: number;
  };
  return {
    path: "",
    line: lineNumber ?? 1,
    column: columnNumber ?? 1,
    message: `not JSON5: ${(message ?? String(error)).replace(/^JSON5: /u, "").replace(/ at \d+:\d+$/u, "")}`,
    next: "mend the syntax at this place",
  };
}

/** Without recursion, so that no file can exhaust the stack. */
function isDeeperThan(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap((item) => (typeof item === "object" && item !== null ? Object.values(item) : []));
  }
  return false;
}
