// TypeScript text with everything that is not code blanked out, in place: offsets and lines stay. It lets the structure checks
// look for words with patterns without being fooled by comments and strings. Not a parser: it knows just enough of the syntax.

const wordsBeforeRegex = /(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield)$/u;

/** Comments, regular expressions and the insides of strings become spaces; quotes, line ends and `${expressions}` stay. */
export function blankText(text: string): string {
  const out = Array.from(text.replaceAll(/[^\n]/gsu, (letters) => " ".repeat(letters.length)));
  /** For each open `${`: how many braces are open inside. */
  const holes: number[] = [];
  let lastCode = "";

  for (let index = 0; index < text.length;) {
    const part = nextPart(text, index, { lastCode, isHoleEnd: holes.at(-1) === 0 });
    if (part.kind === "code") countBraces(holes, text[index] ?? "");
    if (part.kind === "template" && text[index] === "}") holes.pop();
    if (part.kind === "template" && part.isHole) holes.push(0);
    for (const kept of part.kept) out[kept] = text[kept] ?? " ";
    lastCode = `${lastCode}${part.shows}`.slice(-12);
    index = part.end;
  }
  return out.join("");
}

interface Part {
  readonly kind: "code" | "blank" | "template";
  readonly end: number;
  /** Offsets that are not blanked. */
  readonly kept: readonly number[];
  /** What it is for the question whether a slash divides. */
  readonly shows: string;
  readonly isHole?: boolean;
}

function nextPart(text: string, index: number, state: { lastCode: string; isHoleEnd: boolean }): Part {
  const here = text[index] ?? "";
  if (here === '"' || here === "'") {
    const end = endOfQuoted(text, index, here);
    return { kind: "blank", end, kept: [index, end - 1], shows: here };
  }
  if (here === "`" || (here === "}" && state.isHoleEnd)) return templatePart(text, index);
  const end = here === "/" ? endOfSlash(text, index, state.lastCode) : undefined;
  if (end === undefined) return { kind: "code", end: index + 1, kept: [index], shows: here.trim() === "" ? " " : here };
  const isComment = text[index + 1] === "/" || text[index + 1] === "*";
  return { kind: "blank", end, kept: [], shows: isComment ? "" : "/r" };
}

function templatePart(text: string, index: number): Part {
  const { from, to, isHole } = endOfTemplatePart(text, index + 1);
  const kept = [index, from, ...(isHole ? [from + 1] : [])].filter((offset) => offset < text.length);
  return { kind: "template", end: to, kept, shows: isHole ? "{" : "`", isHole };
}

/** Where the comment or regular expression that begins at the slash ends; undefined for a division. */
function endOfSlash(text: string, index: number, lastCode: string): number | undefined {
  const next = text[index + 1];
  if (next === "/") return indexOrEnd(text, "\n", index);
  if (next === "*") return Math.min(text.length, indexOrEnd(text, "*/", index + 2) + 2);
  return isRegexStart(lastCode) ? endOfRegex(text, index) : undefined;
}

function countBraces(holes: number[], here: string): void {
  const open = holes.length - 1;
  if (open < 0) return;
  if (here === "{") holes[open] = (holes[open] ?? 0) + 1;
  if (here === "}") holes[open] = (holes[open] ?? 0) - 1;
}

function endOfQuoted(text: string, start: number, quote: string): number {
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === "\\") index++;
    else if (text[index] === quote || text[index] === "\n") return index + 1;
  }
  return text.length;
}

function endOfTemplatePart(text: string, start: number): { from: number; to: number; isHole: boolean } {
  for (let index = start; index < text.length; index++) {
    if (text[index] === "\\") index++;
    else if (text[index] === "`") return { from: index, to: index + 1, isHole: false };
    else if (text[index] === "$" && text[index + 1] === "{") return { from: index, to: index + 2, isHole: true };
  }
  return { from: text.length, to: text.length, isHole: false };
}

/** A slash divides after a value; anywhere else it begins a regular expression. */
function isRegexStart(lastCode: string): boolean {
  const before = lastCode.trimEnd();
  return before === "" || /[(,=:[!&|?{};+\-*%~^<>]$/u.test(before) || wordsBeforeRegex.test(before);
}

function endOfRegex(text: string, start: number): number {
  let isClass = false;
  for (let index = start + 1; index < text.length; index++) {
    const here = text[index];
    if (here === "\n") return index;
    if (here === "\\") index++;
    else if (here === "[") isClass = true;
    else if (here === "]") isClass = false;
    else if (here === "/" && !isClass) return index + 1;
  }
  return text.length;
}

function indexOrEnd(text: string, part: string, from: number): number {
  const index = text.indexOf(part, from);
  return index < 0 ? text.length : index;
}
