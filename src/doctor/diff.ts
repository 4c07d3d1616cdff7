// What differs between two texts, line by line, with a little of what stands around it. Pure.

const around = 2;
/** Beyond this only the ends are compared: a config of that size is no one's reading. */
const maxCells = 4_000_000;

/** `- old`, `+ new`, `  same`, and `@@ line 12` where lines were left out; empty when the texts are the same. */
export function diffLines(before: string, after: string): string[] {
  if (before === after) return [];
  const [a, b] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const middle = compare(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const same = (lines: readonly string[]) => lines.map((line) => ({ sign: " ", line }));
  return shorten([...same(a.slice(0, head)), ...middle, ...same(a.slice(a.length - tail))]);
}

interface Row {
  readonly sign: string;
  readonly line: string;
}

/** The longest common lines stay. */
function compare(a: readonly string[], b: readonly string[]): Row[] {
  const removed = (lines: readonly string[]) => lines.map((line) => ({ sign: "-", line }));
  const added = (lines: readonly string[]) => lines.map((line) => ({ sign: "+", line }));
  if (a.length * b.length > maxCells) return [...removed(a), ...added(b)];
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const rows: Row[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      rows.push({ sign: " ", line: a[i] ?? "" });
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) {
      rows.push(...removed([a[i] ?? ""]));
      i += 1;
    } else {
      rows.push(...added([b[j] ?? ""]));
      j += 1;
    }
  }
  return [...rows, ...removed(a.slice(i)), ...added(b.slice(j))];
}

function shorten(rows: readonly Row[]): string[] {
  const isNear = rows.map((_, index) =>
    rows.slice(Math.max(0, index - around), index + around + 1).some(({ sign }) => sign !== " "),
  );
  const lines: string[] = [];
  let oldLine = 0;
  for (const [index, { sign, line }] of rows.entries()) {
    if (sign !== "+") oldLine += 1;
    if (!isNear[index]) continue;
    if (index > 0 && !isNear[index - 1]) lines.push(`@@ line ${oldLine}`);
    lines.push(`${sign} ${line}`);
  }
  return lines;
}
