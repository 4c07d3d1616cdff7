// Where in a JSON5 text each key stands, for messages that name line and column.

import { findMember, outlineText } from "./outline.ts";

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** The position of a key path; that of its nearest known ancestor when it is not in the text. */
export function createPositions(text: string): (path: readonly string[]) => Position {
  const { root } = outlineText(text);
  return (path) => {
    let offset = root.start;
    let outline = root;
    for (const key of path) {
      const member = findMember(outline, key);
      if (!member) break;
      offset = member.start;
      outline = member.value;
    }
    return positionOf(text, offset);
  };
}

export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset).split(/\r\n|[\n\r\u2028\u2029]/u);
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
