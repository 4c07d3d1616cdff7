// A merge patch (RFC 7396) over what the file says, and what two configs differ in. Pure.

import { isDeepStrictEqual } from "node:util";

import { isRecord } from "../base/json.ts";

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
