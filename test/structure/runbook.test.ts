// docs/runbook.md against the sources: every row of the manuals is there, and every test that it names exists and carries the row's
// number in its title.

import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { root } from "../../scripts/run.ts";
import { brandOf } from "../../src/base/brand.ts";
import { parseArguments } from "../../src/cli/arguments.ts";

/** How many rows each manual has. */
const families = { RB: 144, MG: 34, OV: 53, VG: 15 } as const;
/** What is said and cannot be run. */
const advice = new Set(["MG-34"]);

const read = (path: string) => readFileSync(join(root, path), "utf8");
const page = read("docs/runbook.md");

/** `RB-57, OV-32..34` -> each number. */
function idsIn(text: string): string[] {
  return [...text.matchAll(/\b(RB|MG|OV|VG)-(\d+)(?:\.\.(\d+))?/gu)].flatMap(([, family = "", first, last = first]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `${family}-${Number(first) + index}`),
  );
}

/** The titles of a file's tests: the first text of each `test(…)`. */
function titlesOf(path: string): string[] {
  return [...read(path).matchAll(/\btest\(\s*(["'`])((?:\\.|(?!\1)[\s\S])*)\1/gu)].map(([, , title = ""]) => title);
}

interface Row {
  readonly line: string;
  readonly ids: readonly string[];
  readonly files: readonly string[];
  readonly held: string;
}

/** Table rows that begin with numbers, and those of tables whose last column is about tests. */
const rows: Row[] = page
  .split("\n")
  .filter((line) => line.startsWith("| ") && !/^\|[ |-]*\|$/u.test(line))
  .map((line) => {
    const cells = line.replaceAll("\\|", "/").split("|").slice(1, -1);
    const held = cells.at(-1)?.trim() ?? "";
    const files = [...held.matchAll(/`([\w./-]+\.test\.ts)`/gu)].map(([, file = ""]) => file);
    return { line: line.slice(0, 100), ids: idsIn(cells[0] ?? ""), files, held };
  });

test("every row of the manuals is in the runbook, and no other", () => {
  const listed = new Set(rows.flatMap(({ ids }) => ids));
  const wanted = Object.entries(families).flatMap(([family, count]) =>
    Array.from({ length: count }, (_, index) => `${family}-${index + 1}`),
  );
  assert.deepEqual(
    wanted.filter((id) => !listed.has(id)),
    [],
    "not in docs/runbook.md",
  );
  assert.deepEqual(
    [...listed].filter((id) => !wanted.includes(id)),
    [],
    "of no manual",
  );
});

/** Rows that wait for a part of the program, and what is only said. */
const isOpen = (held: string, id: string) => /^waits: \S/u.test(held) || (held === "this page" && advice.has(id));

function judge({ line, ids, files, held }: Row): string[] {
  const gone = files.filter((file) => !existsSync(join(root, file)));
  if (gone.length > 0) return [`${gone.join(", ")} is not there: ${line}`];
  const carried = files.map((file) => ({ file, own: new Set(titlesOf(file).flatMap(idsIn)) }));
  const bare = ids.filter((id) => !isOpen(held, id) && !carried.some(({ own }) => own.has(id)));
  const idle = ids.length === 0 ? [] : carried.filter(({ own }) => !ids.some((id) => own.has(id)));
  return [
    ...bare.map((id) => `no test of ${files.join(", ") || "any file"} carries ${id}`),
    ...idle.map(({ file }) => `${file} holds nothing of: ${line}`),
  ];
}

test("every test that the runbook names exists and carries the number of its row", () => {
  assert.deepEqual(rows.flatMap(judge), []);
});

test("every number in a test's title is one of the manuals'", () => {
  for (const file of globSync(["src/**/*.test.ts", "test/**/*.test.ts"], { cwd: root })) {
    for (const id of titlesOf(file).flatMap(idsIn)) {
      const [family = "", number = ""] = id.split("-");
      const count = (families as Readonly<Record<string, number>>)[family] ?? 0;
      assert.ok(Number(number) >= 1 && Number(number) <= count, `${file}: ${id}`);
    }
  }
});

test("every command that the pages for operators name is one that the command line understands", () => {
  let count = 0;
  for (const path of ["docs/runbook.md", "docs/operating.md", "docs/multiple-gateways.md", "README.md"]) {
    const typed = read(path)
      .replaceAll("\\\n", " ")
      .match(/(?<=`|^|; |&& |bin\/)(?:openclaw|moltbot) (?:[^`\n#]+)/gmu);
    for (const line of typed ?? []) {
      // parts of commands, and what ps shows
      if (/…|\||\.\.\.| :\d/u.test(line)) continue;
      const text = line.replaceAll(/<[^>]+>/gu, "x").split(/; | && | [<>|] /u)[0] ?? "";
      const words = [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/gu)].map(([, a, b, c]) => a ?? b ?? c ?? "");
      const parsed = parseArguments(brandOf("openclaw"), "1.0.0", words.slice(1));
      assert.ok(!("exitCode" in parsed) || parsed.exitCode === 0, `${path}: ${line}\n${JSON.stringify(parsed)}`);
      count += 1;
    }
  }
  assert.ok(count > 200, `${count} command lines were found`);
});
