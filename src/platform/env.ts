// The only reader of the process's environment. Our own variables exist under two prefixes: that of the name the program was
// called by, and the sibling's as a fallback. Nothing is ever written.

import type { Brand } from "../base/brand.ts";
import { isSecretName } from "./redact.ts";

export interface Env {
  /** `GATEWAY_PORT` reads `OPENCLAW_GATEWAY_PORT`, then `CLAWDBOT_GATEWAY_PORT` (or the other way round). Blank counts as unset. */
  get(name: string): string | undefined;
  /** The full name of the variable that `get` found, for texts. */
  source(name: string): string | undefined;
  /** A variable that is not ours, such as TELEGRAM_BOT_TOKEN. Blank counts as unset. */
  raw(name: string): string | undefined;
}

export function createEnv(brand: Brand, variables: Readonly<Record<string, string | undefined>> = process.env): Env {
  const raw = (name: string) => {
    const value = variables[name]?.trim();
    return value === "" ? undefined : value;
  };
  const names = (name: string) => [`${brand.envPrefix}_${name}`, `${brand.fallbackEnvPrefix}_${name}`];
  const source = (name: string) => names(name).find((candidate) => raw(candidate) !== undefined);
  return {
    raw,
    source,
    get: (name) => {
      const found = source(name);
      return found === undefined ? undefined : raw(found);
    },
  };
}

/** The same environment, with `variables` where it has none of the name. */
export function withVariables(brand: Brand, env: Env, variables: Readonly<Record<string, string>>): Env {
  const own = createEnv(brand, variables);
  return {
    get: (name) => env.get(name) ?? own.get(name),
    source: (name) => env.source(name) ?? own.source(name),
    raw: (name) => env.raw(name) ?? own.raw(name),
  };
}

/** Sorted names, and nothing of what is in them. */
export function variableNames(
  prefixes: readonly string[],
  variables: Readonly<Record<string, string | undefined>> = process.env,
): string[] {
  return Object.keys(variables)
    .filter((name) => prefixes.some((prefix) => name.startsWith(prefix)))
    .toSorted();
}

/** Shorter ones are switches and words. */
const minSecretLength = 8;

/** What is in variables whose names say that it is a secret; the path of a file is none. */
export function secretVariables(variables: Readonly<Record<string, string | undefined>> = process.env): string[] {
  return Object.entries(variables)
    .filter(([name]) => isSecretName(name))
    .map(([, value]) => (value ?? "").trim())
    .filter((value) => value.length >= minSecretLength && !value.startsWith("/"));
}
