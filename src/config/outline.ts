// A JSON5 text as a tree of places: where each key, value and comma stands. A scanner beside the `json5` parser, which has
// already accepted the text: it only needs to find its way.

/** Offsets in the text; `end` is behind the last character. */
export interface Outline {
  readonly kind: "object" | "array" | "scalar";
  readonly start: number;
  readonly end: number;
  /** In the order of the text; an object may name a key twice. Empty for a scalar. */
  readonly members: readonly Member[];
}

export interface Member {
  /** The key, or the index of an item. */
  readonly key: string;
  /** Of the key, or of the item. */
  readonly start: number;
  readonly value: Outline;
  /** Offset of the comma behind it. */
  readonly commaAt: number | undefined;
}

export interface TextOutline {
  readonly root: Outline;
  readonly comments: readonly { readonly start: number; readonly end: number }[];
}

/** Recursive: the caller has made sure that the text is not nested deeper than `maxJsonDepth`. */
export function outlineText(text: string): TextOutline {
  const scanner: Scanner = { text, at: 0, comments: [] };
  skipSpace(scanner);
  const root = scanValue(scanner);
  skipSpace(scanner);
  return { root, comments: scanner.comments };
}

/** The member that counts: of several with one key it is the last. */
export function findMember(outline: Outline, key: string): Member | undefined {
  return outline.members.findLast((member) => member.key === key);
}

interface Scanner {
  readonly text: string;
  at: number;
  readonly comments: { start: number; end: number }[];
}

function skipSpace(scanner: Scanner): void {
  const { text } = scanner;
  for (;;) {
    const space = /[\s\uFEFF]*/uy;
    space.lastIndex = scanner.at;
    space.exec(text);
    scanner.at = space.lastIndex;
    const start = scanner.at;
    if (text.startsWith("//", start)) {
      const end = /[\n\r\u2028\u2029]/gu;
      end.lastIndex = start;
      scanner.at = end.exec(text)?.index ?? text.length;
    } else if (text.startsWith("/*", start)) {
      const end = text.indexOf("*/", start + 2);
      scanner.at = end === -1 ? text.length : end + 2;
    } else return;
    scanner.comments.push({ start, end: scanner.at });
  }
}

function scanValue(scanner: Scanner): Outline {
  const start = scanner.at;
  const character = scanner.text[start];
  if (character === "{") return scanMembers(scanner, "object");
  if (character === "[") return scanMembers(scanner, "array");
  if (character === '"' || character === "'") scanString(scanner);
  else scanWord(scanner);
  return { kind: "scalar", start, end: scanner.at, members: [] };
}

function scanMembers(scanner: Scanner, kind: "object" | "array"): Outline {
  const { text } = scanner;
  const start = scanner.at;
  const close = kind === "object" ? "}" : "]";
  const members: Member[] = [];
  scanner.at += 1;
  skipSpace(scanner);
  while (scanner.at < text.length && text[scanner.at] !== close) {
    const memberStart = scanner.at;
    const key = kind === "object" ? scanKey(scanner) : String(members.length);
    const value = scanValue(scanner);
    skipSpace(scanner);
    const commaAt = text[scanner.at] === "," ? scanner.at : undefined;
    if (commaAt !== undefined) scanner.at += 1;
    skipSpace(scanner);
    members.push({ key, start: memberStart, value, commaAt });
    // not JSON5 after all: go on rather than stand still
    if (scanner.at === memberStart) scanner.at += 1;
  }
  scanner.at += 1;
  return { kind, start, end: scanner.at, members };
}

/** Ends at the value. */
function scanKey(scanner: Scanner): string {
  const character = scanner.text[scanner.at];
  const key = character === '"' || character === "'" ? scanString(scanner) : scanWord(scanner);
  skipSpace(scanner);
  scanner.at += 1; // the colon
  skipSpace(scanner);
  return key;
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
