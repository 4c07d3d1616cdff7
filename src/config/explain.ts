// What the schema's validator found -> what a person reads: the place, what is wrong there, and the next step.

import { dirname, join } from "node:path";

import type { Problem as SchemaProblem } from "../protocol/generated/requests.js";
import { readConfigKeys } from "../settings/key-table.ts";

export interface ConfigProblem {
  /** Dotted key path; empty for the whole file. */
  readonly path: string;
  /** Where it is, seen from the config's folder; absent: the config file. */
  readonly file?: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly next: string;
}

/** Makes a problem of a key path, what is wrong and the next step. */
export type Place = (path: readonly string[], message: string, next: string) => ConfigProblem;

/** Every problem once, in the words of `explain`; a choice between forms gives one problem, not one a form. */
export function explainProblems(found: readonly SchemaProblem[], at: Place): ConfigProblem[] {
  const unions = found.filter(({ keyword }) => keyword === "anyOf");
  const isInUnion = ({ instancePath }: SchemaProblem) =>
    unions.some((union) => instancePath === union.instancePath || instancePath.startsWith(`${union.instancePath}/`));
  const plain = found.filter((problem) => !isInUnion(problem)).map((problem) => explain(problem, at));
  return [...plain, ...unions.flatMap((union) => explainUnion(union, found, at))];
}

/** The form that was meant is the one whose type fits: what it says is told. When none fits, all types are. */
function explainUnion(union: SchemaProblem, found: readonly SchemaProblem[], at: Place): ConfigProblem[] {
  const own = found.filter(({ instancePath, keyword }) => instancePath === union.instancePath && keyword !== "anyOf");
  const below = found.filter(({ instancePath }) => instancePath.startsWith(`${union.instancePath}/`));
  const meant = [...own.filter(({ keyword }) => keyword !== "type"), ...below.filter((it) => it.keyword !== "anyOf")];
  if (meant.length > 0) return meant.map((problem) => explain(problem, at));
  const types = own.map(({ params }) => String(params["type"]));
  return [at(toPath(union), `must be ${types.join(" or ")}`, "write it in one of these forms")];
}

function toPath({ instancePath }: SchemaProblem): string[] {
  return instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** What a key is called that no section knows. */
export const unknownKey = "unknown key";

const forms: Readonly<Record<string, string>> = {
  string: 'write a text: "..."',
  integer: "write a whole number, without quotes",
  number: "write a number, without quotes",
  boolean: "write true or false, without quotes",
  array: "write a list: [ ... ]",
  object: "write an object: { ... }",
};

function explain(problem: SchemaProblem, at: Place): ConfigProblem {
  const { keyword, params } = problem;
  const path = toPath(problem);
  if (keyword === "additionalProperties") {
    const key = String(params["additionalProperty"]);
    return at([...path, key], unknownKey, adviseUnknown(path, key));
  }
  if (keyword === "required") return at(path, `${params["missingProperty"]} is missing`, "add it here");
  if (keyword === "type") {
    const type = String(params["type"]);
    return at(path, `must be ${type}`, forms[type] ?? "see docs/configuration.md");
  }
  const allowed = params["allowedValues"];
  if (Array.isArray(allowed)) return at(path, "not an allowed value", `use one of: ${allowed.join(", ")}`);
  return at(path, renderLimit(keyword, params), "see docs/configuration.md for what is allowed");
}

function renderLimit(keyword: string, { limit, pattern }: SchemaProblem["params"]): string {
  if (keyword === "minimum") return `must be at least ${limit}`;
  if (keyword === "maximum") return `must be at most ${limit}`;
  if (keyword === "minLength") return limit === 1 ? "must not be empty" : `must have at least ${limit} characters`;
  if (keyword === "maxLength") return `must have at most ${limit} characters`;
  if (keyword === "pattern") return `must match ${pattern}`;
  return `is not valid (${keyword})`;
}

function adviseUnknown(path: readonly string[], key: string): string {
  const near = nearestKey(path, key);
  return near === undefined ? "remove it, or see docs/configuration.md" : `did you mean ${near}?`;
}

/** The known key beside the unknown one that is spelt most like it. */
function nearestKey(path: readonly string[], key: string): string | undefined {
  const isBeside = (known: readonly string[]) =>
    known.length === path.length + 1 &&
    path.every(
      (part, index) => known[index] === part || known[index] === "*" || (known[index] === "[]" && /^\d+$/u.test(part)),
    );
  const names = [...readConfigKeys().keys()]
    .map((known) => known.split("."))
    .filter(isBeside)
    .map((known) => known.at(-1) ?? "")
    .filter((name) => name !== "*" && name !== "[]");
  const ranked = names
    .map((name) => ({ name, distance: editDistance(name.toLowerCase(), key.toLowerCase().slice(0, 64)) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, Math.floor(key.length / 3)) ? best.name : undefined;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
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

/** One line for people: `path/to/file:12:5 key: what is wrong; what to do`. */
export const renderProblem = (file: string, problem: ConfigProblem): string =>
  `${renderWrong(file, problem)}; ${problem.next}`;

/** The same without what to do, for who tells that apart. */
export function renderWrong(file: string, problem: ConfigProblem): string {
  const key = problem.path === "" ? "" : ` ${problem.path}:`;
  const place = problem.file === undefined ? file : join(dirname(file), problem.file);
  return `${place}:${problem.line}:${problem.column}${key} ${problem.message}`;
}
