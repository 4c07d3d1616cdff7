// A merge patch (RFC 7396) over what the file says, what two configs differ in, and what such a change disturbs. Pure.

import { isDeepStrictEqual } from "node:util";

import { isRecord } from "../base/json.ts";
import { readConfigKeys } from "../settings/key-table.ts";
import type { ReloadEffect } from "../settings/key.ts";
import { findKey } from "./secret-paths.ts";

/** Objects are merged, null takes a key away, everything else replaces. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const merged = new Map(isRecord(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, applyMergePatch(merged.get(key), value));
  }
  // never an assignment: a key called __proto__ stays a key, and validation refuses it
  return Object.fromEntries(merged);
}

/** The keys in which two values differ; a list is one key. */
export function listChanges(from: unknown, to: unknown, path: readonly string[] = []): readonly string[][] {
  if (isDeepStrictEqual(from, to)) return [];
  // a section that comes or goes is each of its keys
  if (from === undefined && isFilled(to)) return listChanges({}, to, path);
  if (to === undefined && isFilled(from)) return listChanges(from, {}, path);
  if (!isRecord(from) || !isRecord(to)) return [[...path]];
  const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...keys].flatMap((key) => listChanges(from[key], to[key], [...path, key]));
}

const isFilled = (value: unknown) => isRecord(value) && Object.keys(value).length > 0;

/** Those of the changed keys that count only once the Gateway has started again. */
export function listRestartKeys(changes: readonly (readonly string[])[]): string[] {
  const keys = readConfigKeys();
  const effectOf = (path: readonly string[]): ReloadEffect => {
    for (let length = path.length; length > 0; length -= 1) {
      const row = findKey(keys, path.slice(0, length));
      if (row) return row.reload;
    }
    return "restart";
  };
  return changes.filter((path) => effectOf(path) !== "none").map((path) => path.join("."));
}
