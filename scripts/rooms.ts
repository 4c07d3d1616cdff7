// The order of the rooms, held by a machine: who may import whom (src/rooms.json), who owns which of the machine's abilities,
// no cycles, ports without values. It reads the sources before compilation, so imports of types count too.

import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import { pathToFileURL } from "node:url";

import { findImports, type Import } from "./imports.ts";
import { moduleState, owners, type Owner } from "./owners.ts";
import { blankText } from "./source-text.ts";

export interface SourceFile {
  /** Relative to the source root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** Lines of rooms; a file may import its own room and those of earlier lines. */
export type RoomOrder = readonly (readonly string[])[];

interface Parsed extends SourceFile {
  readonly code: string;
  readonly imports: readonly Import[];
}

const maxForeignImports = 10;
/** Their work is to know everybody. */
const knowsEverybody: ReadonlySet<string> = new Set(["gateway/features.ts", "gateway/handlers.ts"]);
/** Tests may use this folder outside of the sources. */
const kit = "../test/kit/";

const isTest = (path: string) => path.endsWith(".test.ts");
const isGenerated = (path: string) => path.includes("/generated/");

/** @returns one line for each violation, in the order of the files; empty when all is well. */
export function checkRooms(files: readonly SourceFile[], order: RoomOrder): readonly string[] {
  const parsed = files.map((file): Parsed => {
    const code = blankText(file.text);
    return { ...file, code, imports: findImports(file.text, code) };
  });
  const rank = new Map(order.flatMap((line, index) => line.map((room) => [room, index] as const)));
  return [
    ...parsed.flatMap((file) => [...checkDirection(file, rank), ...checkOwners(file), ...checkState(file)]),
    ...findCycles(parsed),
  ];
}

function checkDirection(file: Parsed, rank: ReadonlyMap<string, number>): string[] {
  const room = roomOf(file.path, rank);
  if (room === undefined) return [`${file.path}: stands in no room of rooms.json`];

  const problems: string[] = [];
  const foreign = new Set<string>();
  for (const { target, isType, line } of file.imports) {
    const at = `${file.path}:${line}`;
    if (target === undefined)
      problems.push(`${at}: import(…) needs one plain string, so that its direction can be seen`);
    if (!target?.startsWith(".")) continue;
    const path = resolveImport(file.path, target);
    const other = roomOf(path, rank);
    if (other === room) continue;
    // types cost a reader less than what runs: they count for the direction, not for the number
    if (!isType) foreign.add(path);
    const problem = judgeDirection({ room, other, path }, rank, isTest(file.path));
    if (problem) problems.push(`${at}: ${problem} (${target})`);
  }
  if (foreign.size > maxForeignImports && !knowsEverybody.has(file.path) && !isTest(file.path)) {
    problems.push(`${file.path}: imports ${foreign.size} files of other rooms (at most ${maxForeignImports})`);
  }
  return problems;
}

interface Step {
  readonly room: string;
  readonly other: string | undefined;
  readonly path: string;
}

function judgeDirection({ room, other, path }: Step, rank: ReadonlyMap<string, number>, inTest: boolean) {
  if (other === undefined) return inTest && path.startsWith(kit) ? undefined : "imports what is in no room";
  const difference = (rank.get(other) ?? 0) - (rank.get(room) ?? 0);
  if (difference > 0) return `${room} imports upward, from ${other}`;
  return difference === 0 ? `${room} imports its sibling ${other}` : undefined;
}

function resolveImport(from: string, target: string): string {
  return posix.normalize(posix.join(posix.dirname(from), target));
}

/** The longest name in the list that the path begins with: `channels/telegram` before `channels`. */
function roomOf(path: string, rank: ReadonlyMap<string, number>): string | undefined {
  const parts = path.split("/").slice(0, -1);
  for (let length = parts.length; length > 0; length--) {
    const name = parts.slice(0, length).join("/");
    if (rank.has(name)) return name;
  }
  return undefined;
}

function checkOwners(file: Parsed): string[] {
  if (isTest(file.path) || isGenerated(file.path)) return [];
  return owners
    .filter((owner) => !owner.allowed.test(file.path))
    .flatMap((owner) =>
      [...new Set([...ownedImports(file, owner), ...ownedWords(file, owner)])].map(
        (line) => `${file.path}:${line}: ${owner.name} has an owner; ${owner.next}`,
      ),
    );
}

function ownedImports({ imports }: Parsed, { modules = [], freeNames = [] }: Owner): number[] {
  return imports
    .filter(({ target, isType }) => !isType && modules.includes(target?.replace(/^node:/u, "") ?? ""))
    .filter(({ names }) => names.length === 0 || !names.every((name) => freeNames.includes(name)))
    .map(({ line }) => line);
}

function ownedWords({ code }: Parsed, { pattern }: Owner): number[] {
  const match = pattern?.exec(code);
  return match ? [code.slice(0, match.index).split("\n").length] : [];
}

function checkState({ path, code }: Parsed): string[] {
  if (isTest(path) || isGenerated(path)) return [];
  return moduleState.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => {
      const line = code.slice(0, match.index).split("\n").length;
      return `${path}:${line}: ${match[1]} is state of the module; put it into a createX`;
    }),
  );
}

/** Imports of types count: a cycle is a cycle for its reader. A table of lazy modules that know the table's types is none. */
function findCycles(files: readonly Parsed[]): string[] {
  const known = new Set(files.map((file) => file.path));
  const graph = new Map<string, readonly string[]>();
  for (const { path, imports } of files) {
    const own = imports.flatMap(({ target, isDynamic }) =>
      target?.startsWith(".") && !isDynamic ? [resolveImport(path, target)] : [],
    );
    graph.set(
      path,
      own.filter((other) => known.has(other)),
    );
  }

  const cycles: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string) => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push(`cycle: ${[...trail.slice(start), path].join(" -> ")}`);
    if (start >= 0 || done.has(path)) return;
    trail.push(path);
    for (const other of graph.get(path) ?? []) visit(other);
    trail.pop();
    done.add(path);
  };
  for (const path of graph.keys()) visit(path);
  return cycles;
}

/** `ports/` is where rooms meet: types only. Imports each file and looks. */
export async function checkPorts(sourceRoot: string): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { path } of readSources(sourceRoot).filter(
    (file) => file.path.startsWith("ports/") && !isTest(file.path),
  )) {
    const module = (await import(pathToFileURL(join(sourceRoot, path)).href)) as object;
    const values = Object.keys(module);
    if (values.length > 0) problems.push(`${path}: ports hold types only, this exports ${values.join(", ")}`);
  }
  return problems;
}

export function readSources(sourceRoot: string): readonly SourceFile[] {
  return readdirSync(sourceRoot, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.d)\.m?[jt]s$/u.test(entry.name))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path: relative(sourceRoot, path).replaceAll("\\", "/"), text: readFileSync(path, "utf8") };
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

if (import.meta.main) {
  const sourceRoot = join(import.meta.dirname, "..", "src");
  // the file is ours
  const { order } = JSON.parse(readFileSync(join(sourceRoot, "rooms.json"), "utf8")) as { order: RoomOrder };
  const problems = [...checkRooms(readSources(sourceRoot), order), ...(await checkPorts(sourceRoot))];
  for (const problem of problems) console.error(`src/${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}
