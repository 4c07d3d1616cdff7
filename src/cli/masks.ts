// Secrets of this instance, kept out of whatever is written or shown.

import { isRecord } from "../base/json.ts";
import { collectSecrets, createSecretPaths } from "../config/secret-paths.ts";
import { secretVariables } from "../platform/env.ts";
import { knownSecrets, parseRedactPatterns, redactText } from "../platform/redact.ts";
import type { Config } from "../settings/config.ts";

export interface Masks {
  /** The secrets that are known, and the user's own patterns. */
  patterns(): readonly RegExp[];
  /** A secret that is in neither config nor environment. */
  know(secret: string): void;
}

/** Made anew when the config is another. */
export function createMasks(config: () => Config, given: readonly (string | undefined)[]): Masks {
  let known = given.filter((secret) => secret !== undefined);
  let made: { readonly from: Config; readonly patterns: readonly RegExp[] } | undefined;
  return {
    patterns() {
      const from = config();
      made = made?.from === from ? made : { from, patterns: makePatterns(from, known) };
      return made.patterns;
    },
    know(secret) {
      known = [...known, secret];
      made = undefined;
    },
  };
}

function makePatterns(config: Config, known: readonly string[]): RegExp[] {
  const { redactSensitive, redactPatterns = [] } = config.logging;
  const secrets = knownSecrets([...known, ...secretVariables(), ...collectSecrets(config, createSecretPaths())]);
  return [...(secrets ? [secrets] : []), ...(redactSensitive === "off" ? [] : parseRedactPatterns(redactPatterns))];
}

/** A copy of JSON with all its texts masked. */
export function maskTexts(value: unknown, patterns: readonly RegExp[]): unknown {
  if (typeof value === "string") return redactText(value, patterns);
  if (Array.isArray(value)) return value.map((item) => maskTexts(item, patterns));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskTexts(inner, patterns)]));
}
