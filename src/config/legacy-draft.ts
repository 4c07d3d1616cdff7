// A document while the keys of older programs are moved in it. Values are never lost: where an old and a new key disagree, or
// something stands in the way, the old one stays and is told.

import { isDeepStrictEqual } from "node:util";

import { isRecord } from "../base/json.ts";
import { readAt, setAt, unsetAt } from "./path.ts";

export type Path = readonly string[];

/** One older key and the place where its value belongs now; no place: there was nothing in it. */
export interface LegacyChange {
  readonly from: Path;
  readonly to: Path | undefined;
}

/** An older key that cannot be moved. */
export interface LegacyConflict {
  readonly at: Path;
  readonly message: string;
  readonly next: string;
}

/** What rules work on. Paths given to it are those of the document as it is at that moment. */
export interface Draft {
  read(path: Path): unknown;
  /** Objects are merged, equal values are joined. `convert` answers with undefined for what it does not understand. */
  move(from: Path, to: Path, convert?: (value: unknown) => unknown): void;
  /** Puts the same value in several places; those that have one keep it. */
  spread(from: Path, places: readonly Path[]): void;
  /** Writes what follows from the older value at `from`, which stays. */
  set(from: Path, to: Path, value: unknown): void;
  /** Takes an object away that has nothing in it. */
  prune(path: Path): void;
  refuse(at: Path, message: string, next: string): void;
}

export interface DraftState {
  document: Record<string, unknown>;
  readonly changes: LegacyChange[];
  readonly conflicts: LegacyConflict[];
}

export function createDraft(state: DraftState): Draft {
  const read = (path: Path) => readAt(state.document, path);
  const keep = (changed: unknown) => {
    if (isRecord(changed)) state.document = changed;
  };
  const drop = (path: Path) => keep(unsetAt(state.document, path));
  const put = (path: Path, value: unknown) => keep(setAt(state.document, path, value));
  const note = (from: Path, to: Path | undefined) => {
    const change = { from: originOf(from, state.changes), to };
    if (!state.changes.some((known) => isDeepStrictEqual(known, change))) state.changes.push(change);
  };
  const refuse: Draft["refuse"] = (at, message, next) => {
    state.conflicts.push({ at: originOf(at, state.changes), message, next });
  };
  const disagree = (from: Path, to: Path) =>
    refuse(from, `an older key, and ${to.join(".")} says something else`, "keep one of the two and remove the other");

  const move = (from: Path, to: Path, convert?: (value: unknown) => unknown): void => {
    const old = read(from);
    if (old === undefined) return;
    const value = convert ? convert(old) : old;
    if (value === undefined) {
      refuse(from, "an older key whose value is not understood", `write it in ${to.join(".")} by hand`);
      return;
    }
    if (isBlocked(state.document, to)) {
      disagree(from, to);
      return;
    }
    const there = read(to);
    if (there === undefined || isDeepStrictEqual(there, value)) {
      drop(from);
      if (there === undefined) put(to, value);
      note(from, to);
    } else if (!convert && isRecord(old) && isRecord(there)) merge(from, to, Object.keys(old));
    else disagree(from, to);
  };
  const merge = (from: Path, to: Path, keys: readonly string[]) => {
    for (const key of keys) move([...from, key], [...to, key]);
    if (isEmpty(read(from))) drop(from);
  };

  return {
    read,
    move,
    refuse,
    spread(from, places) {
      const value = read(from);
      if (value === undefined) return;
      const open = places.filter((place) => !isBlocked(state.document, place));
      for (const place of open.filter((one) => read(one) === undefined)) {
        put(place, value);
        note(from, place);
      }
      if (open.some((place) => isDeepStrictEqual(read(place), value))) drop(from);
      else
        refuse(from, "an older key that no channel takes", "remove it, or set it in the channel that it is meant for");
    },
    set(from, to, value) {
      if (isBlocked(state.document, to)) {
        disagree(from, to);
        return;
      }
      put(to, value);
      note(from, to);
    },
    prune(path) {
      if (!isEmpty(read(path))) return;
      drop(path);
      if (!state.changes.some(({ from }) => isWithin(from, path))) note(path, undefined);
    },
  };
}

const isEmpty = (value: unknown) => isRecord(value) && Object.keys(value).length === 0;

/** Something that cannot hold the next part of the path stands on the way: it would be lost. */
function isBlocked(document: unknown, path: Path): boolean {
  let found = document;
  for (const key of path) {
    if (found === undefined) return false;
    if (Array.isArray(found)) {
      if (!/^\d{1,6}$/u.test(key) || Number(key) > found.length) return true;
    } else if (!isRecord(found)) return true;
    found = readAt(found, [key]);
  }
  return false;
}

/** True for the place itself too. */
export const isWithin = (path: Path, outer: Path): boolean => outer.every((part, index) => path[index] === part);

/** Where it stood at first: an earlier rule may have moved it. */
export function originOf(path: Path, changes: readonly LegacyChange[]): Path {
  const change = changes.findLast(({ to }) => to !== undefined && isWithin(path, to));
  return change?.to ? [...change.from, ...path.slice(change.to.length)] : path;
}
