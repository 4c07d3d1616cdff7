// What a source file imports: static, for types only, dynamic, and types written as `import("./x.ts")`.

import { blankText } from "./source-text.ts";

export interface Import {
  /** As written; undefined when a dynamic import's argument is not one plain string. */
  readonly target: string | undefined;
  readonly isType: boolean;
  readonly isDynamic: boolean;
  /** The names between the braces, as exported by the other side; empty for the other forms. */
  readonly names: readonly string[];
  readonly line: number;
}

const statics = /\b(?:import|export)\s+(type\s+)?([^;"'()=`]*?)\bfrom\s*(["'])/gu;
const bare = /(?:^|[;\n])\s*import\s*(["'])/gu;
const dynamics = /(\btypeof\s+)?(?<![.\w$])import\s*\(\s*/gu;

export function findImports(text: string, code = blankText(text)): readonly Import[] {
  const lineOf = (offset: number) => code.slice(0, offset).split("\n").length;
  const found: Import[] = [];
  for (const match of code.matchAll(statics)) {
    const clause = match[2] ?? "";
    const names = namesOf(clause);
    const isType = match[1] !== undefined || (names.length > 0 && names.every((name) => name.startsWith("type ")));
    found.push({
      target: quotedAt(text, code, match.index + match[0].length - 1),
      isType,
      isDynamic: false,
      names: names.map((name) => name.replace(/^type\s+/u, "").replace(/\s+as\s.*$/u, "")),
      line: lineOf(match.index),
    });
  }
  for (const match of code.matchAll(bare)) {
    const quote = match.index + match[0].length - 1;
    found.push({
      target: quotedAt(text, code, quote),
      isType: false,
      isDynamic: false,
      names: [],
      line: lineOf(quote),
    });
  }
  for (const match of code.matchAll(dynamics)) {
    const isType = match[1] !== undefined || isTypePlace(code, match.index);
    const target = quotedAt(text, code, match.index + match[0].length);
    found.push({ target, isType, isDynamic: !isType, names: [], line: lineOf(match.index) });
  }
  return found;
}

function namesOf(clause: string): readonly string[] {
  const braces = /\{([^}]*)\}/u.exec(clause)?.[1] ?? "";
  return braces
    .split(",")
    .map((name) => name.trim().replaceAll(/\s+/gu, " "))
    .filter((name) => name !== "");
}

/** The string that begins at `offset`, undefined when none does or it is put together. */
function quotedAt(text: string, code: string, offset: number): string | undefined {
  const quote = code[offset];
  if (quote !== '"' && quote !== "'") return undefined;
  const end = code.indexOf(quote, offset + 1);
  const after = code.slice(end + 1).trimStart()[0];
  return end < 0 || after === "+" ? undefined : text.slice(offset + 1, end);
}

/** `x: import("…").Y` and `<import("…").Y>` are types; a type can also follow `|`, `&` and `extends`. */
function isTypePlace(code: string, offset: number): boolean {
  const end = code.indexOf(")", offset);
  const isMember = /^\.[A-Z]/u.test(code.slice(end + 1, end + 3));
  return isMember && !/\bawait\s*$/u.test(code.slice(0, offset));
}
