// Values that a JSON Schema accepts, made from the schema alone: the least that it asks for, or everything that it names.

import fc from "fast-check";

export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

export function sample(schema: JsonSchema, extent: "least" | "full"): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return sample((extent === "least" ? schema.anyOf[0] : schema.anyOf.at(-1)) ?? {}, extent);
  if (schema.allOf)
    return Object.assign({}, ...schema.allOf.map((part) => sample(part, extent))) as Record<string, unknown>;
  if (schema.type === "object") return sampleObject(schema, extent);
  if (schema.type === "array") {
    const length = Math.max(schema.minItems ?? 0, extent === "full" && schema.items ? 1 : 0);
    return Array.from({ length }, () => sample(schema.items ?? {}, extent));
  }
  return samplePlain(schema);
}

function sampleObject(schema: JsonSchema, extent: "least" | "full"): Record<string, unknown> {
  const entries = Object.entries(schema.properties ?? {})
    .filter(([key]) => extent === "full" || schema.required?.includes(key))
    .map(([key, field]) => [key, sample(field, extent)] as const);
  const [[pattern, value] = []] = Object.entries(schema.patternProperties ?? {});
  if (extent === "full" && pattern !== undefined) entries.push([matching(pattern), sample(value ?? {}, extent)]);
  return Object.fromEntries(entries);
}

function samplePlain({ type, minimum, maximum, minLength, pattern }: JsonSchema): unknown {
  if (type === "string") return pattern === undefined ? "x".repeat(Math.max(1, minLength ?? 0)) : matching(pattern);
  if (type === "integer" || type === "number") return Math.min(Math.max(1, minimum ?? 1), maximum ?? Infinity);
  if (type === "boolean") return true;
  return type === "null" ? null : {};
}

/** `seed` chooses among the texts of a pattern. */
export function matching(pattern: string, seed = 1): string {
  const [text = ""] = fc.sample(fc.stringMatching(new RegExp(pattern, "u")), { numRuns: 1, seed });
  return text === "" && /^\^?\.\*/u.test(pattern) ? "key" : text;
}
