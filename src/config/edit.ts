// A JSON5 text changed to hold another value, with as few characters touched as possible: comments, order, quotes and
// everything that did not change stay as their writer left them (R8).

import { isDeepStrictEqual } from "node:util";

import JSON5 from "json5";

import { isRecord } from "../base/json.ts";
import { outlineText, type Member, type Outline } from "./outline.ts";

export interface EditedText {
  readonly text: string;
  /** False: the text could not be changed in place and was written anew; its comments are gone. */
  readonly isInPlace: boolean;
}

/** `text` must be JSON5 that holds `from`. What comes out holds `to`. */
export function editText(text: string, from: unknown, to: unknown): EditedText {
  const style = readStyle(text);
  const edits: Edit[] = [];
  collect({ outline: outlineText(text).root, from, to }, { text, style, edits });
  const edited = applyEdits(text, edits);
  // what a person wrote may be stranger than all that is foreseen here: the result is read back before it counts
  if (holds(edited, to)) return { text: edited, isInPlace: true };
  return { text: renderText(to), isInPlace: false };
}

/** The text of a file that holds `from` and shall hold `to`; undefined: there is no file yet. */
export function changeText(text: string | undefined, from: unknown, to: unknown): string {
  return text === undefined ? renderText(to) : editText(text, from, to).text;
}

/** A text of our own: JSON with two blanks and a line break at the end. */
export function renderText(value: unknown): string {
  return `${renderValue(value, plainStyle, "")}\n`;
}

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Edits must not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = "";
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at);
}

interface Style {
  readonly newline: string;
  readonly indent: string;
  readonly isQuoted: boolean;
}

interface Editing {
  readonly text: string;
  readonly style: Style;
  readonly edits: Edit[];
}

interface Place {
  readonly outline: Outline;
  readonly from: unknown;
  readonly to: unknown;
}

const plainStyle: Style = { newline: "\n", indent: "  ", isQuoted: true };

function readStyle(text: string): Style {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const indent = /\n([ \t]+)["'\w$]/u.exec(text)?.[1] ?? plainStyle.indent;
  const first = outlineText(text).root.members[0];
  return { newline, indent, isQuoted: first === undefined || /["']/u.test(text[first.start] ?? "") };
}

/** True when the text is JSON5 of this value. */
export function holds(text: string, value: unknown): boolean {
  try {
    return isDeepStrictEqual(JSON5.parse(text), value);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function collect({ outline, from, to }: Place, editing: Editing): void {
  if (isDeepStrictEqual(from, to)) return;
  if (outline.kind === "object" && isRecord(from) && isRecord(to)) collectMembers({ outline, from, to }, editing);
  else if (outline.kind === "array" && Array.isArray(from) && Array.isArray(to)) {
    collectItems({ outline, from, to }, editing);
  } else {
    const indent = indentAt(editing.text, outline.start);
    editing.edits.push({ start: outline.start, end: outline.end, text: renderValue(to, editing.style, indent) });
  }
}

type Entry = readonly [key: string | undefined, value: unknown];

function collectMembers(
  { outline, from, to }: Place & { from: Record<string, unknown>; to: Record<string, unknown> },
  editing: Editing,
): void {
  const last = new Map(outline.members.map((member) => [member.key, member]));
  for (const [key, member] of last) {
    if (Object.hasOwn(to, key)) collect({ outline: member.value, from: from[key], to: to[key] }, editing);
  }
  const gone = new Set(outline.members.filter(({ key }) => !Object.hasOwn(to, key)));
  const added = Object.entries(to).filter(([key]) => !last.has(key));
  restock(outline, { gone, added }, editing);
}

/** Items that are the same at both ends stay; between them they are changed one by one, and the rest comes or goes. */
function collectItems({ outline, from, to }: Place & { from: unknown[]; to: unknown[] }, editing: Editing): void {
  const shorter = Math.min(from.length, to.length);
  let head = 0;
  while (head < shorter && isDeepStrictEqual(from[head], to[head])) head += 1;
  let tail = 0;
  while (tail < shorter - head && isDeepStrictEqual(from.at(-1 - tail), to.at(-1 - tail))) tail += 1;
  if (to.length > from.length && tail > 0) {
    // what comes in the middle would need a place before an item: from there on the items are changed
    tail = 0;
  }
  for (let index = head; index < shorter - tail; index += 1) {
    const member = outline.members[index];
    if (member) collect({ outline: member.value, from: from[index], to: to[index] }, editing);
  }
  const gone = new Set(outline.members.slice(shorter - tail, Math.max(shorter - tail, from.length - tail)));
  restock(outline, { gone, added: to.slice(from.length).map((value): Entry => [undefined, value]) }, editing);
}

/** Takes members out, puts new ones behind the last, and keeps the commas right. */
function restock(
  outline: Outline,
  { gone, added }: { gone: ReadonlySet<Member>; added: readonly Entry[] },
  editing: Editing,
): void {
  const { text, edits } = editing;
  if (gone.size === 0 && added.length === 0) return;
  const lastKept = outline.members.findLast((member) => !gone.has(member));
  if (lastKept === undefined && gone.size > 0 && added.length > 0) {
    throwAway(outline, added, editing);
    return;
  }
  for (const member of gone) edits.push({ ...spanOf(text, member), text: "" });
  const hasTrailingComma = outline.members.at(-1)?.commaAt !== undefined;
  if (lastKept) setComma(lastKept, added.length > 0 || hasTrailingComma, edits);
  if (added.length > 0) append(outline, { added, hasTrailingComma }, editing);
}

function setComma({ commaAt, value }: Member, isWanted: boolean, edits: Edit[]): void {
  if (isWanted && commaAt === undefined) edits.push({ start: value.end, end: value.end, text: "," });
  if (!isWanted && commaAt !== undefined) edits.push({ start: commaAt, end: commaAt + 1, text: "" });
}

/** Nothing of the old members is left: what is between the brackets is written anew. */
function throwAway(outline: Outline, added: readonly Entry[], { text, style, edits }: Editing): void {
  const indent = indentAt(text, outline.start);
  const value = outline.kind === "object" ? Object.fromEntries(added) : added.map(([, item]) => item);
  edits.push({ start: outline.start, end: outline.end, text: renderValue(value, style, indent) });
}

function append(
  outline: Outline,
  { added, hasTrailingComma }: { added: readonly Entry[]; hasTrailingComma: boolean },
  { text, style, edits }: Editing,
): void {
  const closeAt = outline.end - 1;
  const before = text.slice(outline.start, closeAt);
  const lineStart = outline.start + before.search(/[\n\r\u2028\u2029][ \t]*$/u) + 1;
  const isOwnLine = lineStart > outline.start;
  const isEmpty = outline.members.length === 0;
  const outer = indentAt(text, isOwnLine ? closeAt : outline.start);
  const first = outline.members[0];
  const inner = first && isAlone(text, first.start) ? indentAt(text, first.start) : outer + style.indent;
  const render = ([key, value]: Entry, indent: string) =>
    (key === undefined ? "" : `${renderKey(key, style)}: `) + renderValue(value, style, indent);
  if (isOwnLine) {
    const lines = added.map(
      (entry, index) =>
        `${inner}${render(entry, inner)}${index < added.length - 1 || hasTrailingComma ? "," : ""}${style.newline}`,
    );
    edits.push({ start: lineStart, end: lineStart, text: lines.join("") });
    return;
  }
  const at = outline.start + before.trimEnd().length;
  const comma = hasTrailingComma ? "," : "";
  if (isEmpty) {
    const lines = added.map((entry) => `${style.newline}${inner}${render(entry, inner)}`);
    edits.push({ start: at, end: closeAt, text: `${lines.join(",")}${style.newline}${outer}` });
  } else edits.push({ start: at, end: at, text: ` ${added.map((entry) => render(entry, outer)).join(", ")}${comma}` });
}

/** A member with its comma; with its whole line, and the comment behind it there, when it has lines of its own. */
function spanOf(text: string, member: Member): { start: number; end: number } {
  const end = member.commaAt === undefined ? member.value.end : member.commaAt + 1;
  const rest =
    /[ \t]*(?:\/\/[^\n\r\u2028\u2029]*|\/\*(?:(?!\*\/)[^\n\r\u2028\u2029])*\*\/[ \t]*)?(?:\r\n|[\n\r\u2028\u2029])/uy;
  rest.lastIndex = end;
  if (isAlone(text, member.start) && rest.test(text)) {
    return { start: member.start - indentAt(text, member.start).length, end: rest.lastIndex };
  }
  const blanks = /[ \t]*/uy;
  blanks.lastIndex = end;
  blanks.test(text);
  return { start: member.start, end: blanks.lastIndex };
}

/** Nothing but blanks stands before it on its line. */
function isAlone(text: string, offset: number): boolean {
  return /(?:^|[\n\r\u2028\u2029])[ \t]*$/u.test(text.slice(Math.max(0, lineStartOf(text, offset) - 1), offset));
}

function lineStartOf(text: string, offset: number): number {
  for (let at = offset; at > 0; at -= 1) if (/[\n\r\u2028\u2029]/u.test(text[at - 1] ?? "")) return at;
  return 0;
}

function indentAt(text: string, offset: number): string {
  return /^[ \t]*/u.exec(text.slice(lineStartOf(text, offset), offset))?.[0] ?? "";
}

function renderKey(key: string, { isQuoted }: Style): string {
  return !isQuoted && /^[A-Za-z_$][\w$]*$/u.test(key) ? key : JSON.stringify(key);
}

function renderValue(value: unknown, style: Style, indent: string): string {
  const inner = indent + style.indent;
  const wrap = (open: string, lines: readonly string[], close: string) =>
    lines.length === 0
      ? open + close
      : `${open}${style.newline}${lines.map((line) => inner + line).join(`,${style.newline}`)}${style.newline}${indent}${close}`;
  if (Array.isArray(value))
    return wrap(
      "[",
      value.map((item) => renderValue(item, style, inner)),
      "]",
    );
  if (isRecord(value)) {
    const members = Object.entries(value);
    return wrap(
      "{",
      members.map(([key, item]) => `${renderKey(key, style)}: ${renderValue(item, style, inner)}`),
      "}",
    );
  }
  // JSON5 knows numbers that JSON does not
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0)))
    return Object.is(value, -0) ? "-0" : String(value);
  return (JSON.stringify(value) ?? "null")
    .replaceAll("\u2028", String.raw`\u2028`)
    .replaceAll("\u2029", String.raw`\u2029`);
}
