// The order of the rooms, held by a machine: who may import whom (src/rooms.json), who owns which of Node's built-ins, no cycles,
// and ports without values. Works on the sources, so `import type` counts too.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

export interface SourceFile {
  /** Relative to the source root, with `/`. */
  readonly path: string;
  readonly text: string;
}

interface ImportFact {
  readonly target: string;
  readonly isDynamic: boolean;
  readonly isType: boolean;
}

const maxRooms = 10;

/** What only certain files may use. Patterns are looked for in code without comments and strings; built-ins among the imports. */
const owners: readonly {
  readonly what: RegExp | string;
  readonly name: string;
  readonly allowed: readonly RegExp[];
}[] = [
  { what: "node:sqlite", name: "node:sqlite", allowed: [/^platform\/(?:database|lock)\.ts$/u] },
  { what: "node:child_process", name: "node:child_process", allowed: [/^platform\/process\.ts$/u] },
  { what: "node:https", name: "node:https", allowed: [/^platform\/egress\.ts$/u] },
  { what: "node:http", name: "node:http", allowed: [/^platform\/(?:egress|listen)\.ts$/u] },
  { what: /\bprocess\.env\b/u, name: "process.env", allowed: [/^platform\/env\.ts$/u] },
  { what: /\bprocess\.exit\(/u, name: "process.exit", allowed: [/^cli\//u] },
  {
    what: /\bDate\.now\(|\bsetTimeout\(|\bsetInterval\(/u,
    name: "timers and Date.now",
    allowed: [/^base\/clock\.ts$/u],
  },
  { what: /\bconsole\./u, name: "console", allowed: [/^cli\/render\//u] },
];

export function checkRooms(files: readonly SourceFile[], order: readonly (readonly string[])[]): string[] {
  const rank = new Map(order.flatMap((line, index) => line.map((room) => [room, index] as const)));
  const known = new Set(files.map((file) => file.path));
  const graph = new Map<string, string[]>();
  const problems = files.flatMap((file) => {
    const imports = findImports(file.text);
    const own = imports
      .filter((fact) => fact.target.startsWith("."))
      .map((fact) => ({ ...fact, path: resolveImport(file.path, fact.target) }));
    graph.set(
      file.path,
      own.filter((fact) => !fact.isDynamic && known.has(fact.path)).map((fact) => fact.path),
    );
    const code = stripStringsAndComments(file.text);
    return [...checkDirection(file, own, rank), ...checkOwners(file, code, imports), ...checkPorts(file, code)];
  });
  return [...problems, ...findCycles(graph)];
}

function resolveImport(from: string, target: string): string {
  return relative(".", resolve(dirname(from), target)).replaceAll("\\", "/");
}

function checkDirection(
  file: SourceFile,
  imports: readonly (ImportFact & { path: string })[],
  rank: ReadonlyMap<string, number>,
): string[] {
  const room = roomOf(file.path, rank);
  if (room === undefined) return [`${file.path}: stands in no room of rooms.json`];
  const problems: string[] = [];
  const reached = new Set<string>();
  for (const { path, target, isType } of imports) {
    const other = roomOf(path, rank);
    if (other === undefined || other === room) continue;
    // types cost a reader less than what runs: they count for the direction, not for the number
    if (!isType) reached.add(path);
    const [own, its] = [rank.get(room) ?? 0, rank.get(other) ?? 0];
    if (its > own) problems.push(`${file.path}: imports upward from ${other} (${target})`);
    else if (its === own) problems.push(`${file.path}: imports from its sibling ${other} (${target})`);
  }
  if (reached.size > maxRooms && !isComposition(file.path)) {
    problems.push(`${file.path}: ${reached.size} imports from other rooms (at most ${maxRooms})`);
  }
  return problems;
}

function checkPorts(file: SourceFile, code: string): string[] {
  const hasValue = file.path.startsWith("ports/") && /^export\s+(?!type\b|interface\b|\{)/mu.test(code);
  return hasValue ? [`${file.path}: ports hold types only`] : [];
}

const isTest = (path: string) => path.endsWith(".test.ts");
/** The two places whose work is to know everybody; handlers of the methods meet many by their nature. */
const isComposition = (path: string) => path === "gateway/compose.ts" || path === "gateway/features.ts" || isTest(path);

function checkOwners(file: SourceFile, code: string, imports: readonly ImportFact[]): string[] {
  if (isTest(file.path)) return [];
  return owners
    .filter(({ what, allowed }) => {
      if (allowed.some((pattern) => pattern.test(file.path))) return false;
      return typeof what === "string"
        ? imports.some(({ target }) => target === what) && !isTypeOnlyImport(file.text, what)
        : what.test(code);
    })
    .map(({ name }) => `${file.path}: uses ${name}, which has an owner`);
}

/** A type of a built-in is not the built-in. */
function isTypeOnlyImport(text: string, module: string): boolean {
  return !new RegExp(`^import (?!type\\b)[^;]*from "${module}";`, "mu").test(text);
}

function roomOf(path: string, rank: ReadonlyMap<string, number>): string | undefined {
  const parts = path.split("/");
  const two = parts.slice(0, 2).join("/");
  return rank.has(two) ? two : rank.has(parts[0] ?? "") ? parts[0] : undefined;
}

function findImports(text: string): ImportFact[] {
  const statics = [...text.matchAll(/^(?:import|export)\s[^;"']*?from\s+"([^"]+)"|^import\s+"([^"]+)"/gmu)];
  const dynamics = [...text.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/gu)];
  return [
    ...statics.map((match) => ({
      target: match[1] ?? match[2] ?? "",
      isDynamic: false,
      isType: /^(?:import|export)\s+type\b/u.test(match[0]),
    })),
    ...dynamics.map((match) => ({ target: match[1] ?? "", isDynamic: true, isType: false })),
  ];
}

function stripStringsAndComments(text: string): string {
  return text.replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/gu,
    (part) => (part.startsWith("`") ? part.replaceAll(/[^$`{}\n]/gu, " ") : ""),
  );
}

/** Type imports count: a cycle of types is a cycle for its reader. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (path: string, trail: readonly string[]) => {
    if (state.get(path) === "done") return;
    if (state.get(path) === "open") {
      cycles.push(`cycle: ${[...trail.slice(trail.indexOf(path)), path].join(" -> ")}`);
      return;
    }
    state.set(path, "open");
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    state.set(path, "done");
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}

export function readSources(root: string, folder = root): SourceFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "generated" ? [] : readSources(root, path);
    return entry.name.endsWith(".ts")
      ? [{ path: relative(root, path).replaceAll("\\", "/"), text: readFileSync(path, "utf8") }]
      : [];
  });
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..", "src");
  const { order } = JSON.parse(readFileSync(join(root, "rooms.json"), "utf8")) as { order: string[][] };
  const problems = checkRooms(readSources(root), order);
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
