// Which values of a config are secrets: those that the key table marks, and in sections that it does not know those whose name
// or form says so. Pure.

import { isRecord } from "../base/json.ts";
import { isSecretName, redactText } from "../platform/redact.ts";
import { readConfigKeys, type ConfigKey } from "../settings/key-table.ts";
import { placeholder } from "./substitute.ts";

export interface SecretPaths {
  /** True when the value at this place must not leave the Gateway. */
  isSecret(path: readonly string[], value: unknown): boolean;
}

export function createSecretPaths(): SecretPaths {
  const keys = readConfigKeys();
  return {
    isSecret(path, value) {
      if (value === null || value === undefined || value === "" || typeof value === "boolean") return false;
      const row = findKey(keys, path);
      if (row?.isSecret === true) return !isReference(value);
      if (typeof value !== "string" || isReference(value)) return false;
      return redactText(value) !== value || (row === undefined && path.some(isSecretName));
    },
  };
}

/** The row of the key table for a place in the file; undefined for one that it does not know. */
export function findKey(keys: ReadonlyMap<string, ConfigKey>, path: readonly string[]): ConfigKey | undefined {
  let known = [""];
  for (const part of path) {
    known = known
      .flatMap((before) => [part, "*", "[]"].map((name) => (before === "" ? name : `${before}.${name}`)))
      .filter((name, index, all) => all.indexOf(name) === index && (keys.has(name) || isItem(keys, name)));
    if (known.length === 0) return undefined;
  }
  // the name itself goes before the wildcard
  return known.map((name) => keys.get(name)).find((row) => row !== undefined);
}

/** Items of a list have no row of their own. */
function isItem(keys: ReadonlyMap<string, ConfigKey>, name: string): boolean {
  if (!name.endsWith(".[]")) return false;
  return keys.has(name.slice(0, -3));
}

/** Says where a secret stands, and nothing of the secret. */
export function isSecretReference(value: unknown): value is Record<string, unknown> {
  if (!isRecord(value) || (value["source"] !== "env" && value["source"] !== "file")) return false;
  return Object.keys(value).every((key) => referenceKeys.has(key));
}

const referenceKeys: ReadonlySet<string> = new Set(["source", "provider", "id", "name", "path"]);

/** Points at a variable or a file and says nothing of its value. */
function isReference(value: unknown): boolean {
  if (isSecretReference(value)) return true;
  return typeof value === "string" && /^\$\{[A-Z_][A-Z0-9_]*\}$/u.test(value);
}

/** A copy with the placeholder where secrets stood. */
export function redactConfig(value: unknown, secrets: SecretPaths, path: readonly string[] = []): unknown {
  if (secrets.isSecret(path, value)) return placeholder;
  if (isSecretReference(value)) return value;
  if (Array.isArray(value)) return value.map((item, index) => redactConfig(item, secrets, [...path, String(index)]));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, redactConfig(inner, secrets, [...path, key])]),
  );
}

export interface Restored {
  readonly value: unknown;
  /** Places of placeholders for which there is nothing to keep. */
  readonly missing: readonly (readonly string[])[];
}

/** A copy with what `current` has at the same place where the placeholder stands; items of lists are found by their `id`. */
export function restoreSecrets(value: unknown, current: unknown, path: readonly string[] = []): Restored {
  if (value === placeholder) {
    return current === undefined || current === placeholder
      ? { value, missing: [path] }
      : { value: current, missing: [] };
  }
  if (Array.isArray(value)) {
    const items = value.map((item, index) =>
      restoreSecrets(item, counterpart(item, index, current), [...path, String(index)]),
    );
    return { value: items.map((item) => item.value), missing: items.flatMap(({ missing }) => missing) };
  }
  if (!isRecord(value)) return { value, missing: [] };
  const members = Object.entries(value).map(([key, inner]) => {
    const there = isRecord(current) && Object.hasOwn(current, key) ? current[key] : undefined;
    return [key, restoreSecrets(inner, there, [...path, key])] as const;
  });
  return {
    value: Object.fromEntries(members.map(([key, restored]) => [key, restored.value])),
    missing: members.flatMap(([, { missing }]) => missing),
  };
}

function counterpart(item: unknown, index: number, current: unknown): unknown {
  if (!Array.isArray(current)) return undefined;
  const id = isRecord(item) ? item["id"] : undefined;
  if (id === undefined) return current[index];
  return current.find((other) => isRecord(other) && other["id"] === id);
}

/** The secrets themselves, so that they can be masked wherever else they turn up. */
export function collectSecrets(value: unknown, secrets: SecretPaths, path: readonly string[] = []): string[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) => collectSecrets(item, secrets, [...path, String(index)]));
  if (isSecretReference(value)) return [];
  if (isRecord(value))
    return Object.entries(value).flatMap(([key, inner]) => collectSecrets(inner, secrets, [...path, key]));
  return typeof value === "string" && secrets.isSecret(path, value) ? [value] : [];
}
