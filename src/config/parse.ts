// Config text -> config, or the list of all that is wrong with it. Pure: no file is touched here.

import JSON5 from "json5";

import { isRecord } from "../base/json.ts";
import type { Problem as SchemaProblem } from "../protocol/generated/requests.js";
import type { Config } from "../settings/config.ts";
import { configKeys } from "../settings/generated/keys.ts";
import { validate_config } from "../settings/generated/validator.js";
import { createPositions } from "./positions.ts";

export interface ConfigProblem {
  /** Dotted key path; empty for the whole file. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly next: string;
}

export type ParsedConfig = { readonly config: Config } | { readonly problems: readonly ConfigProblem[] };

/** The config of an empty file: every default. */
export function defaultConfig(): Config {
  const parsed = parseConfig("{}", () => undefined);
  if ("config" in parsed) return parsed.config;
  throw new Error(`the defaults are not valid: ${parsed.problems[0]?.message}`);
}

/** `variable` gives the value for `${NAME}` in strings. */
export function parseConfig(text: string, variable: (name: string) => string | undefined): ParsedConfig {
  let value: unknown;
  try {
    value = JSON5.parse(text.replace(/^\uFEFF/u, "").trim() === "" ? "{}" : text);
  } catch (error) {
    return { problems: [syntaxProblem(error)] };
  }
  const position = createPositions(text);
  const at = (path: readonly string[], message: string, next: string): ConfigProblem => ({
    path: path.join("."),
    ...position(path),
    message,
    next,
  });

  if (!isRecord(value)) return { problems: [at([], "the file must hold an object", "wrap its contents in { }")] };
  const early: ConfigProblem[] = [];
  const filled = substitute(value, [], {
    variable,
    report: (path, message, next) => early.push(at(path, message, next)),
  });
  if (early.length > 0) return { problems: early };

  if (!validate_config(filled)) {
    return {
      problems: (validate_config.errors ?? [])
        .filter(isPlain)
        .slice(0, 20)
        .map((problem) => explain(problem, at)),
    };
  }
  const rules = crossChecks(filled as Config, at);
  // the validator has just accepted it and filled the defaults in
  return rules.length > 0 ? { problems: rules } : { config: filled as Config };
}

type Report = (path: readonly string[], message: string, next: string) => void;

/** A copy with `${NAME}` replaced; keys that would reach a prototype are refused. */
function substitute(
  value: unknown,
  path: readonly string[],
  tools: { variable: (name: string) => string | undefined; report: Report },
): unknown {
  if (typeof value === "string") return substituteText(value, path, tools);
  if (Array.isArray(value)) return value.map((item, index) => substitute(item, [...path, String(index)], tools));
  if (!isRecord(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key === "__proto__" || key === "constructor" || key === "prototype") {
      tools.report([...path, key], `the key ${key} is not allowed`, "remove it");
    } else copy[key] = substitute(inner, [...path, key], tools);
  }
  return copy;
}

function substituteText(
  text: string,
  path: readonly string[],
  tools: { variable: (name: string) => string | undefined; report: Report },
): string {
  return text.replaceAll(/\$(\$)?\{([A-Z_][A-Z0-9_]*)\}/gu, (whole, escaped: string | undefined, name: string) => {
    if (escaped) return `\${${name}}`;
    const value = tools.variable(name);
    if (value !== undefined) return value;
    tools.report(
      path,
      `the environment variable ${name} is not set`,
      `set ${name}, or write $\${${name}} for the text itself`,
    );
    return whole;
  });
}

function syntaxProblem(error: unknown): ConfigProblem {
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

/** A union reports each of its branches and then itself: the union's own line says enough. */
function isPlain(problem: SchemaProblem, _index: number, all: readonly SchemaProblem[]): boolean {
  return (
    problem.keyword === "anyOf" ||
    !all.some((other) => other.keyword === "anyOf" && problem.instancePath === other.instancePath)
  );
}

function explain(
  problem: SchemaProblem,
  at: (path: readonly string[], message: string, next: string) => ConfigProblem,
): ConfigProblem {
  const path = problem.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (problem.keyword === "additionalProperties") {
    const key = String(problem.params["additionalProperty"]);
    const near = nearestKey(path, key);
    return at(
      [...path, key],
      "unknown key",
      near ? `did you mean ${near}?` : "remove it, or see docs/configuration.md",
    );
  }
  if (problem.keyword === "required") {
    const key = String(problem.params["missingProperty"]);
    return at(path, `${key} is missing`, `add ${key}`);
  }
  const allowed = problem.params["allowedValues"];
  if (Array.isArray(allowed)) return at(path, "not an allowed value", `use one of: ${allowed.join(", ")}`);
  return at(path, problem.message ?? "invalid", "see docs/configuration.md for what is allowed");
}

/** The known key beside the unknown one that is spelt most like it. */
function nearestKey(path: readonly string[], key: string): string | undefined {
  const patterns = Object.keys(configKeys).map((known) => known.split("."));
  const siblings = patterns
    .filter(
      (known) =>
        known.length === path.length + 1 &&
        path.every(
          (part, index) =>
            known[index] === part || known[index] === "*" || (known[index] === "[]" && /^\d+$/u.test(part)),
        ),
    )
    .map((known) => known.at(-1) ?? "");
  const ranked = siblings
    .map((name) => ({ name, distance: distance(name.toLowerCase(), key.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, Math.floor(key.length / 3)) ? best.name : undefined;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Rules that look at more than one key. */
function crossChecks(
  config: Config,
  at: (path: readonly string[], message: string, next: string) => ConfigProblem,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const name of ["telegram", "whatsapp"] as const) {
    const channel = config.channels[name];
    if (channel?.dmPolicy === "open" && !channel.allowFrom.includes("*")) {
      problems.push(
        at(["channels", name, "dmPolicy"], 'open needs "*" in allowFrom', `add allowFrom: ["*"], or use pairing`),
      );
    }
  }
  for (const key of ["token", "password"] as const) {
    const secret = config.gateway.auth[key];
    if (secret !== undefined && secret.trim() === "")
      problems.push(at(["gateway", "auth", key], "must not be blank", "set it, or remove the key"));
  }
  return problems;
}

/** One line for people: `path/to/file:12:5 key: what is wrong; what to do`. */
export function renderProblem(file: string, problem: ConfigProblem): string {
  const key = problem.path === "" ? "" : ` ${problem.path}:`;
  return `${file}:${problem.line}:${problem.column}${key} ${problem.message}; ${problem.next}`;
}
