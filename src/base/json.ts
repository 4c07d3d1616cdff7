// JSON from strangers: bounded depth, no prototype keys; and one canonical text for comparing bodies.

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Nesting deeper than this is refused; real frames stay below 20. */
export const maxJsonDepth = 64;

/** True when brackets nest deeper than `limit`. Scans text, so that the parser never recurses on hostile input. */
export function isNestedBeyond(text: string, limit: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (isInString) {
      if (code === 92) i += 1;
      else if (code === 34) isInString = false;
    } else if (code === 34) isInString = true;
    else if (code === 91 || code === 123) {
      depth += 1;
      if (depth > limit) return true;
    } else if (code === 93 || code === 125) depth -= 1;
  }
  return false;
}

const prototypeKey = /"(?:__proto__|constructor|prototype)"\s*:/u;

/**
 * Parses untrusted JSON. `__proto__`, `constructor` and `prototype` keys are dropped at every level.
 * @returns undefined when the text is not JSON or nests too deep.
 */
export function parseJson(text: string): unknown {
  if (isNestedBeyond(text, maxJsonDepth)) return undefined;
  try {
    // the reviver costs a call per value: only texts that need it pay. Escapes could hide a key name, hence the backslash.
    if (!prototypeKey.test(text) && !text.includes("\\u")) return JSON.parse(text);
    return JSON.parse(text, (key, value: unknown) =>
      key === "__proto__" || key === "constructor" || key === "prototype" ? undefined : value,
    );
  } catch {
    return undefined;
  }
}

/** JSON with object keys sorted: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== "object" || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A copy without the keys whose value is undefined: for types that know absence only. */
export function withoutGaps<Value extends object>(
  value: Value,
): { -readonly [Key in keyof Value]?: Exclude<Value[Key], undefined> } {
  // the same keys, fewer of them
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    -readonly [Key in keyof Value]?: Exclude<Value[Key], undefined>;
  };
}
