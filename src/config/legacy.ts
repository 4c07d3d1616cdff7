// A config written for an older program, in the words of this one. Pure. The Gateway works on such a copy and says so; the file
// itself is changed by `doctor --fix` alone.

import { createDraft, originOf, type DraftState, type LegacyChange, type LegacyConflict } from "./legacy-draft.ts";
import { unknownKey, type ConfigProblem, type Place } from "./explain.ts";
import { legacyRules } from "./legacy-rules.ts";

export interface Migrated {
  /** The very document that was given when nothing in it is old. */
  readonly document: Record<string, unknown>;
  readonly changes: readonly LegacyChange[];
  /** Older keys that stay, and why. */
  readonly conflicts: readonly LegacyConflict[];
}

export function migrateLegacy(document: Record<string, unknown>): Migrated {
  const state: DraftState = { document, changes: [], conflicts: [] };
  const draft = createDraft(state);
  // what a rule moves away may have stood in the way of an earlier one
  for (let pass = 0; pass < maxPasses; pass += 1) {
    const before = state.document;
    state.conflicts.length = 0;
    for (const rule of legacyRules) rule(draft);
    if (state.document === before) break;
  }
  return state;
}

/** Rules move things one way only; real documents need two. */
const maxPasses = 6;

/** What its owner should know of older keys; `at` knows the places of the document as it was given. */
export function explainLegacy({ changes, conflicts }: Migrated, at: Place): ConfigProblem[] {
  const places = new Map<string, string[]>();
  const paths = new Map(changes.map(({ from }) => [from.join("."), from]));
  for (const { from, to } of changes) {
    const key = from.join(".");
    places.set(key, [...(places.get(key) ?? []), ...(to ? [to.join(".")] : [])]);
  }
  const moved = [...paths].map(([key, path]) =>
    at(path, describe(key, places.get(key) ?? []), "doctor --fix moves it"),
  );
  return [...moved, ...conflicts.map((conflict) => at(conflict.at, conflict.message, conflict.next))];
}

function describe(key: string, places: readonly string[]): string {
  const elsewhere = places.filter((place) => place !== key);
  if (places.length === 0) return "an older key with nothing in it";
  return elsewhere.length === 0 ? "an older value" : `an older key, now ${elsewhere.join(" and ")}`;
}

/** Instead of an unknown key, or before what an unknown one holds: the older keys that could not be moved, and why. */
export function explainConflicts(
  problems: readonly ConfigProblem[],
  { conflicts }: Migrated,
  at: Place,
): readonly ConfigProblem[] {
  if (conflicts.length === 0) return problems;
  const paths = conflicts.map((conflict) => conflict.at.join("."));
  const isCovered = ({ path }: ConfigProblem) => paths.some((one) => one === path || one.startsWith(`${path}.`));
  const left = problems.filter((problem) => !(problem.message === unknownKey && isCovered(problem)));
  return [...conflicts.map((conflict) => at(conflict.at, conflict.message, conflict.next)), ...left];
}

/** Names a place of the migrated document by where it stands in the file. */
export function toOldPlaces({ changes }: Migrated, at: Place): Place {
  return changes.length === 0 ? at : (path, message, next) => at(originOf(path, changes), message, next);
}
