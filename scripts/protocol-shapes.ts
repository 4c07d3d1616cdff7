// What generators of models need to know about a schema: which definition it is, and which fields an object or a union of objects
// has.

import type { Definitions } from "./protocol-definitions.ts";

/** The parts of a JSON Schema that decide about a type. */
export interface Shape {
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly additionalProperties?: unknown;
  readonly patternProperties?: Readonly<Record<string, Shape>>;
}

export interface Fields {
  readonly properties: Readonly<Record<string, Shape>>;
  readonly required: readonly string[];
}

// a TypeBox schema is a JSON Schema
export const shapesOf = (definitions: Definitions): [string, Shape][] => Object.entries(definitions);

function fingerprint({ description: _description, ...shape }: Shape): string {
  return JSON.stringify(shape);
}

const isSameShape = (one: Shape, other: Shape) => fingerprint(one) === fingerprint(other);

/**
 * Names the definition that a shape is, whatever its description; objects with fields only. Of several equal ones a shape of its
 * own comes before the params or the result that it is.
 */
export function createShapeNames(definitions: Definitions): (shape: Shape) => string | undefined {
  const known = new Map<string, string>();
  const isOfMethod = (name: string) => /(?:Params|Accepted|Result|Event)$/u.test(name);
  const shapes = shapesOf(definitions);
  for (const [name, shape] of [...shapes.filter(([it]) => !isOfMethod(it)), ...shapes.filter(([it]) => isOfMethod(it))])
    if (Object.keys(shape.properties ?? {}).length > 0 && !known.has(fingerprint(shape)))
      known.set(fingerprint(shape), name);
  return (shape) => known.get(fingerprint(shape));
}

/** The fields of an object, or of all variants of a union of objects together; undefined for what has no known fields. */
export function fieldsOf(shape: Shape): Fields | undefined {
  if (shape.type === "object") {
    const { properties = {}, required = [] } = shape;
    const isFree = shape.patternProperties !== undefined || shape.additionalProperties === true;
    return isFree && Object.keys(properties).length === 0 ? undefined : { properties, required };
  }
  const variants: Fields[] = [];
  for (const variant of shape.anyOf ?? []) {
    const fields = fieldsOf(variant);
    if (!fields) return undefined;
    variants.push(fields);
  }
  return variants.length === 0 ? undefined : mergeVariants(variants);
}

function mergeVariants(variants: readonly Fields[]): Fields {
  const properties: Record<string, Shape> = {};
  for (const [key, field] of variants.flatMap((variant) => Object.entries(variant.properties))) {
    const other = properties[key];
    properties[key] = other && !isSameShape(other, field) ? mergeFields(other, field) : field;
  }
  const isRequired = (key: string) => variants.every(({ required }) => required.includes(key));
  return { properties, required: Object.keys(properties).filter(isRequired) };
}

/** A string, or one of fixed strings. */
export function isText(shape: Shape): boolean {
  const values = shape.enum ?? (shape.const === undefined ? undefined : [shape.const]);
  return values ? values.every((value) => typeof value === "string") : shape.type === "string";
}

/** What two variants have in common under one key: text, another plain type, or nothing. */
function mergeFields(one: Shape, other: Shape): Shape {
  const plain = [one, other].map((shape) => (isText(shape) ? "string" : (shape.type ?? "")));
  const isPlain = ["string", "integer", "number", "boolean"].includes(plain[0] ?? "");
  return isPlain && plain[0] === plain[1] ? { type: plain[0] ?? "" } : {};
}
