// Where in a JSON5 text each key stands, for messages that name line and column. A scanner beside the `json5` parser, which
// has already accepted the text: it only needs to find its way.

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** Key of a path -> offset of the object key, or of the list item, in the text. */
type Offsets = Map<string, number>;

/** JSON keeps `a.b` apart from `a`, `b`, and an empty key from the root. */
const toKey = (path: readonly string[]) => JSON.stringify(path);

/** The position of a key path; that of its nearest known ancestor when it is not in the text. */
export function createPositions(text: string): (path: readonly string[]) => Position {
  const offsets: Offsets = new Map([[toKey([]), firstToken(text)]]);
  const scanner = { text, at: 0, offsets };
  skipSpace(scanner);
  scanValue(scanner, []);
  return (path) => {
    for (let length = path.length; length >= 0; length -= 1) {
      const offset = offsets.get(toKey(path.slice(0, length)));
      if (offset !== undefined) return positionOf(text, offset);
    }
    return positionOf(text, 0);
  };
}

export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset).split(/\r\n|[\n\r\u2028\u2029]/u);
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

interface Scanner {
  readonly text: string;
  at: number;
  readonly offsets: Offsets;
}

function firstToken(text: string): number {
  const scanner: Scanner = { text, at: 0, offsets: new Map() };
  skipSpace(scanner);
  return scanner.at;
}

function skipSpace(scanner: Scanner): void {
  const { text } = scanner;
  for (;;) {
    const space = /[\s\uFEFF]*/uy;
    space.lastIndex = scanner.at;
    space.exec(text);
    scanner.at = space.lastIndex;
    if (text.startsWith("//", scanner.at)) {
      const end = /[\n\r\u2028\u2029]/gu;
      end.lastIndex = scanner.at;
      scanner.at = end.exec(text)?.index ?? text.length;
    } else if (text.startsWith("/*", scanner.at)) {
      const end = text.indexOf("*/", scanner.at + 2);
      scanner.at = end === -1 ? text.length : end + 2;
    } else return;
  }
}

function scanValue(scanner: Scanner, path: readonly string[]): void {
  const character = scanner.text[scanner.at];
  if (character === "{") scanMembers(scanner, path);
  else if (character === "[") scanItems(scanner, path);
  else if (character === '"' || character === "'") scanString(scanner);
  else scanWord(scanner);
}

function scanMembers(scanner: Scanner, path: readonly string[]): void {
  scanner.at += 1;
  for (;;) {
    skipSpace(scanner);
    const character = scanner.text[scanner.at];
    if (character === undefined) return;
    if (character === "}") {
      scanner.at += 1;
      return;
    }
    if (character === ",") {
      scanner.at += 1;
      continue;
    }
    const start = scanner.at;
    const key = character === '"' || character === "'" ? scanString(scanner) : scanWord(scanner);
    const member = [...path, key];
    scanner.offsets.set(toKey(member), start);
    skipSpace(scanner);
    scanner.at += 1; // the colon
    skipSpace(scanner);
    scanValue(scanner, member);
  }
}

function scanItems(scanner: Scanner, path: readonly string[]): void {
  scanner.at += 1;
  for (let index = 0; ;) {
    skipSpace(scanner);
    const character = scanner.text[scanner.at];
    if (character === undefined) return;
    if (character === "]") {
      scanner.at += 1;
      return;
    }
    if (character === ",") {
      scanner.at += 1;
      continue;
    }
    const item = [...path, String(index)];
    scanner.offsets.set(toKey(item), scanner.at);
    scanValue(scanner, item);
    index += 1;
  }
}

const simpleEscapes: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  0: "\0",
};

function scanString(scanner: Scanner): string {
  const { text } = scanner;
  const quote = text[scanner.at];
  let value = "";
  for (scanner.at += 1; scanner.at < text.length && text[scanner.at] !== quote;) {
    if (text[scanner.at] === "\\") value += scanEscape(scanner);
    else {
      value += text[scanner.at];
      scanner.at += 1;
    }
  }
  scanner.at += 1;
  return value;
}

function scanEscape(scanner: Scanner): string {
  const escape = /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[\s\S]))/uy;
  escape.lastIndex = scanner.at;
  const match = escape.exec(scanner.text);
  scanner.at = match ? escape.lastIndex : scanner.at + 1;
  const code = match?.[1] ?? match?.[2];
  if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
  const character = match?.[3] ?? "";
  if (/^[\r\n\u2028\u2029]/u.test(character)) return "";
  return simpleEscapes[character] ?? character;
}

function scanWord(scanner: Scanner): string {
  const word = /(?:\\u[0-9a-fA-F]{4}|[^\s\uFEFF,:{}[\]/"'])+/uy;
  word.lastIndex = scanner.at;
  const match = word.exec(scanner.text);
  scanner.at = match ? word.lastIndex : scanner.at + 1;
  return (match?.[0] ?? "").replaceAll(/\\u([0-9a-fA-F]{4})/gu, (_escape, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
