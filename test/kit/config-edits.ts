// One edit after another for every key of the config: two values for each, made from the schema that editors get.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { isRecord } from "../../src/base/json.ts";
import { applyMergePatch } from "../../src/config/merge.ts";
import { parseConfig } from "../../src/config/parse.ts";
import type { Config } from "../../src/settings/config.ts";
import { readConfigKeys } from "../../src/settings/key-table.ts";
import type { ReloadEffect } from "../../src/settings/key.ts";
import { matching, sample, type JsonSchema } from "./schema-samples.ts";

export interface ConfigKeyEdits {
  /** As the key table has it. */
  readonly key: string;
  readonly effect: ReloadEffect;
  /** Merge patches that give the key one value, and another. */
  readonly patches: readonly [object, object];
}

const schema = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "docs", "config.schema.json"), "utf8"),
) as JsonSchema;

/** Keys that hold others are edited by those. `values`: where the schema alone does not know what works. */
export function listConfigKeyEdits(values: Readonly<Record<string, readonly [unknown, unknown]>>): ConfigKeyEdits[] {
  const rows = readConfigKeys();
  const names = [...rows.keys()];
  const isSection = (key: string) => names.some((name) => name.startsWith(`${key}.`) && !name.startsWith(`${key}.[]`));
  return [...rows]
    .filter(([key]) => !isSection(key) && !key.endsWith(".[]"))
    .map(([key, { reload }]) => {
      const parts = key.split(".");
      const [one, other] = values[key] ?? twoOf(find(schema, parts) ?? {});
      return { key, effect: reload, patches: [patchOf(schema, parts, one), patchOf(schema, parts, other)] };
    });
}

/** @throws with what is wrong with it. */
export function configOf(document: unknown): Config {
  const parsed = parseConfig(JSON.stringify(document), (name) => (name === "HOME" ? "/home/nobody" : undefined));
  if ("config" in parsed) return parsed.config;
  throw new Error(JSON.stringify(parsed.problems));
}

export const patched = (document: object, patch: object): object => {
  const value = applyMergePatch(document, patch);
  return isRecord(value) ? value : {};
};

/** Any branch of the schema that knows the place. */
function find(from: JsonSchema, [part, ...rest]: readonly string[]): JsonSchema | undefined {
  if (part === undefined) return from;
  for (const branch of from.anyOf ?? [from]) {
    const next = step(branch, part);
    if (next) return find(next, rest);
  }
  return undefined;
}

function step(branch: JsonSchema, part: string): JsonSchema | undefined {
  if (part === "[]") return branch.items;
  if (part !== "*") return branch.properties?.[part];
  const { additionalProperties: open } = branch;
  // of two forms of the keyword the schema uses this one where a name is the user's
  return isRecord(open) ? (open as JsonSchema) : Object.values(branch.patternProperties ?? {})[0];
}

function patchOf(from: JsonSchema, [part, ...rest]: readonly string[], value: unknown): object {
  if (part === undefined) return value as object;
  const next = (from.anyOf ?? [from]).map((branch) => step(branch, part)).find((found) => found) ?? {};
  const inner = patchOf(next, rest, value);
  const whole = next.required && rest.length > 0 ? applyMergePatch(sample(next, "least"), inner) : inner;
  return part === "[]" ? [whole] : { [part === "*" ? "some" : part]: whole };
}

/** Two values that differ from each other. */
function twoOf(from: JsonSchema): readonly [unknown, unknown] {
  if (from.anyOf) return twoOf(from.anyOf[0] ?? {});
  if (from.enum) return [from.enum[0], from.enum[1]];
  if (from.type === "boolean") return [true, false];
  if (from.type === "string") return twoTexts(from);
  if (from.type === "array") return twoLists(from.items ?? { type: "string" });
  if (from.type !== "integer" && from.type !== "number") return [{ one: 1 }, { one: 2 }];
  const least = from.minimum ?? 1;
  return from.maximum === 1 ? [0.25, 0.5] : [least + 1, least + 2];
}

const twoTexts = (from: JsonSchema): readonly [unknown, unknown] =>
  from.pattern === undefined ? ["one", "two"] : [matching(from.pattern), matching(from.pattern, 2)];

function twoLists(items: JsonSchema): readonly [unknown, unknown] {
  if (items.type === "object") return [[sample(items, "least")], []];
  const [one, other] = twoOf(items);
  return [[one], [other]];
}
