// The text of a config with its older keys moved to their places. Remarks stay, also those inside of a section that moves.

import { isDeepStrictEqual } from "node:util";

import { isRecord } from "../base/json.ts";
import { editText, holds } from "./edit.ts";
import { migrateLegacy, type Migrated } from "./legacy.ts";
import { findMember, outlineText, type Outline } from "./outline.ts";
import { readAt, setAt } from "./path.ts";

/** `text` must be JSON5 that holds `value`. The text comes back as it is when nothing in it is old. */
export function migrateText(text: string, value: Record<string, unknown>): { text: string; migrated: Migrated } {
  const migrated = migrateLegacy(value);
  const { document } = migrated;
  if (document === value) return { text, migrated };
  const plain = editText(text, value, document).text;
  const kept = keepRemarks(text, value, migrated);
  return { migrated, text: kept !== undefined && holds(kept, document) ? kept : plain };
}

/** Sections that move as they are get a mark in their new place first, and then the very text they had. */
function keepRemarks(text: string, value: Record<string, unknown>, migrated: Migrated): string | undefined {
  const { root, comments } = outlineText(text);
  if (comments.length === 0) return undefined;
  const marks = new Map<string, string>();
  let marked: unknown = migrated.document;
  for (const { from, to } of migrated.changes) {
    const old = readAt(value, from);
    const outline = findOutline(root, from);
    const isSection = isRecord(old) || Array.isArray(old);
    if (!to || !outline || !isSection || !isDeepStrictEqual(old, readAt(marked, to))) continue;
    const mark = `__moved-${marks.size}-${text.length}__`;
    marks.set(mark, toText(text, outline));
    marked = setAt(marked, to, mark);
  }
  return marks.size === 0 ? undefined : replaceMarks(editText(text, value, marked).text, marks);
}

/** undefined when a mark is not there once. */
function replaceMarks(text: string, marks: ReadonlyMap<string, string>): string | undefined {
  let result = text;
  for (const [mark, original] of marks) {
    const quoted = JSON.stringify(mark);
    const at = result.indexOf(quoted);
    if (at === -1 || result.includes(quoted, at + 1)) return undefined;
    const indent = indentAt(result, at);
    const lines = original.split("\n").map((line, index) => (index === 0 || line === "" ? line : indent + line));
    result = result.slice(0, at) + lines.join("\n") + result.slice(at + quoted.length);
  }
  return result;
}

/** Of the line that the place is on. */
const indentAt = (text: string, at: number) =>
  /^[ \t]*/u.exec(text.slice(text.lastIndexOf("\n", at - 1) + 1))?.[0] ?? "";

function findOutline(root: Outline, path: readonly string[]): Outline | undefined {
  let found: Outline | undefined = root;
  for (const key of path) found = found && findMember(found, key)?.value;
  return found;
}

/** Without the indent of the line that it begins on. */
function toText(text: string, { start, end }: Outline): string {
  const indent = indentAt(text, start);
  return text
    .slice(start, end)
    .split("\n")
    .map((line, index) => (index > 0 && line.startsWith(indent) ? line.slice(indent.length) : line))
    .join("\n");
}
