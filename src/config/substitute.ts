// Raw config value -> a copy with `${NAME}` and `~` replaced. What may not be in a config at all is refused here, before
// anything else looks at it.

import { isRecord } from "../base/json.ts";

export interface Substitution {
  /** The value for `${NAME}`. */
  readonly variable: (name: string) => string | undefined;
  /** What `~` stands for; absent: it is left alone. */
  readonly home: string | undefined;
  readonly report: (path: readonly string[], message: string, next: string) => void;
}

/** Recursive: the caller has made sure that the value is not nested deeper than `maxJsonDepth`. */
export function substitute(value: unknown, path: readonly string[], tools: Substitution): unknown {
  if (typeof value === "string") return substituteText(value, path, tools);
  if (Array.isArray(value)) return value.map((item, index) => substitute(item, [...path, String(index)], tools));
  if (!isRecord(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const refusal = refusals[key];
    if (Object.hasOwn(refusals, key) && refusal) tools.report([...path, key], refusal.message, refusal.next);
    else copy[key] = substitute(inner, [...path, key], tools);
  }
  return copy;
}

const prototypeKey = { message: "this key is not allowed", next: "remove it" };
const refusals: Readonly<Record<string, { readonly message: string; readonly next: string }>> = {
  ["__proto__"]: prototypeKey,
  constructor: prototypeKey,
  prototype: prototypeKey,
  // config/include has taken those that it saw: leaving parts of a config out without a word would be worse than refusing it
  $include: { message: "$include cannot be used here", next: "copy the contents of the other file to this place" },
};

/** What stands in a secret's place in an answer of the Gateway; in a request it means: keep what is there. */
export const placeholder = "__OPENCLAW_REDACTED__";

/** Keys whose values are paths; list items take their list's key. */
const pathKey = /(?:dir|dirs|path|paths|file|root|workspace)$/iu;

function substituteText(text: string, path: readonly string[], { variable, home, report }: Substitution): string {
  // as a secret it would be one that everybody knows
  if (text === placeholder) report(path, "this stands for a secret and is none", "write the secret itself");
  const filled = text.replaceAll(
    /\$(\$)?\{([A-Z_][A-Z0-9_]*)\}/gu,
    (whole, escaped: string | undefined, name: string) => {
      if (escaped) return `\${${name}}`;
      const value = variable(name);
      if (value !== undefined) return value;
      report(
        path,
        `the environment variable ${name} is not set`,
        `set ${name}, or write $\${${name}} for the text itself`,
      );
      return whole;
    },
  );
  const key = path.findLast((part) => !/^\d+$/u.test(part)) ?? "";
  if (home === undefined || !pathKey.test(key) || !/^~(?:[/\\]|$)/u.test(filled)) return filled;
  return `${home}${filled.slice(1)}`;
}

/** Variables that the file itself sets, in `env` and `env.vars`: for those that the process does not have. */
export function fileVariables(config: { readonly env?: unknown }): Readonly<Record<string, string>> {
  const { env } = config;
  if (!isRecord(env)) return {};
  const { vars, shellEnv: _shellEnv, ...direct } = env;
  const all = { ...(isRecord(vars) ? vars : {}), ...direct };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
