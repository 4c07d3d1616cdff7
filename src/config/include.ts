// `$include`: parts of the config in other files of its folder. Several are merged in order (objects merge, lists are joined, else
// the later wins), and what stands beside `$include` wins over all of them. Each value keeps the place where it was written.

import { createHash } from "node:crypto";
import { basename, dirname, relative, resolve, sep } from "node:path";

import { isRecord } from "../base/json.ts";
import type { ConfigProblem, Place } from "./explain.ts";
import { createPlace, parseSource } from "./parse.ts";
import type { ConfigFile } from "./read.ts";

export interface Whole {
  /** With all parts in their places, nothing filled in. */
  readonly value: Record<string, unknown>;
  readonly at: Place;
  /** Folder of the config file; no part is outside of it. */
  readonly root: string;
  /** Files that were looked for, with their texts; missing ones are empty. */
  readonly texts: ReadonlyMap<string, string>;
  /** Changes when the text of a part does; empty without parts. */
  readonly partsHash: string;
  readonly problems: readonly ConfigProblem[];
}

/** Where parts are read from: the disk, or a version that is kept. */
export interface PartSource {
  /** Where a link leads to. */
  readonly follow: (path: string) => Promise<string>;
  readonly read: (path: string) => Promise<ConfigFile | undefined>;
}

/** Files inside of files inside of files. */
const maxDepth = 10;
const maxReads = 100;

interface Origin {
  readonly at: Place;
  readonly path: readonly string[];
}
type Node =
  | { readonly kind: "leaf"; readonly origin: Origin; readonly value: unknown }
  | { readonly kind: "list"; readonly origin: Origin; readonly items: readonly Node[] }
  | { readonly kind: "object"; readonly origin: Origin; readonly members: ReadonlyMap<string, Node> };

interface Reading {
  readonly root: string;
  readonly source: PartSource;
  readonly parts: Map<string, string>;
  readonly problems: ConfigProblem[];
  /** Files read, each time counted: one may be included often. */
  reads: number;
}
interface File {
  readonly path: string;
  readonly at: Place;
  /** The files that led here, this one last. */
  readonly chain: readonly string[];
}

/** True when a text may name parts: most do not, and cost nothing. */
export const mayInclude = (text: string): boolean => text.includes("$include");

/** `path`: of the config file; `text` and `value`: what it says. */
export async function readWhole(
  path: string,
  { text, value }: { readonly text: string; readonly value: Record<string, unknown> },
  source: PartSource,
): Promise<Whole> {
  const at = createPlace(text);
  if (!mayInclude(text)) return { value, at, root: dirname(path), texts: new Map(), partsHash: "", problems: [] };
  const real = await source.follow(path);
  const reading: Reading = { root: dirname(real), source, parts: new Map(), problems: [], reads: 0 };
  const tree = await expand(value, { path: [], file: { path: real, at, chain: [real] } }, reading);
  const whole = toValue(tree);
  const hash = createHash("sha256");
  for (const part of reading.parts) hash.update(JSON.stringify(part));
  return {
    // a file that is an object stays one: what stands in its place was refused otherwise
    value: isRecord(whole) ? whole : {},
    at: (place, message, next) => {
      const { origin, rest } = originOf(tree, place);
      return { ...origin.at([...origin.path, ...rest], message, next), path: place.join(".") };
    },
    root: reading.root,
    texts: reading.parts,
    partsHash: hash.digest("hex"),
    problems: reading.problems,
  };
}

interface Spot {
  /** In the file. */
  readonly path: readonly string[];
  readonly file: File;
}

async function expand(value: unknown, { path, file }: Spot, reading: Reading): Promise<Node> {
  const origin = { at: file.at, path };
  const inner = (key: string, item: unknown) => expand(item, { path: [...path, key], file }, reading);
  if (Array.isArray(value)) {
    const items: Node[] = [];
    for (const [index, item] of value.entries()) items.push(await inner(String(index), item));
    return { kind: "list", origin, items };
  }
  if (!isRecord(value)) return { kind: "leaf", origin, value };
  const members = new Map<string, Node>();
  for (const [key, item] of Object.entries(value)) if (key !== "$include") members.set(key, await inner(key, item));
  const own: Node = { kind: "object", origin, members };
  if (!Object.hasOwn(value, "$include")) return own;

  const spot = { path: [...path, "$include"], file };
  const included = await expandAll(value["$include"], spot, reading);
  if (included === undefined) return own;
  if (members.size === 0) return path.length > 0 || included.kind === "object" ? included : refuse(spot, reading, own);
  return included.kind === "object" ? merge(included, own, { isJoining: false }) : refuse(spot, reading, own);
}

function refuse({ path, file }: Spot, { problems }: Reading, own: Node): Node {
  problems.push(file.at(path, "what is included here must be an object", "put the keys into { } in that file"));
  return own;
}

async function expandAll(names: unknown, spot: Spot, reading: Reading): Promise<Node | undefined> {
  const list: unknown[] = Array.isArray(names) ? names : [names];
  let whole: Node | undefined;
  for (const name of list) {
    const part = await expandFile(name, spot, reading);
    if (part) whole = whole ? merge(whole, part, { isJoining: true }) : part;
  }
  return whole;
}

async function expandFile(name: unknown, { path, file }: Spot, reading: Reading): Promise<Node | undefined> {
  const { parts, problems, source } = reading;
  const complain = (message: string, next: string) => void problems.push(file.at(path, message, next));
  if (typeof name !== "string" || name === "") {
    return complain("$include takes the name of a file, or a list of names", 'write "./other.json5"');
  }
  const asked = resolve(dirname(file.path), name);
  const found = await source.follow(asked).catch(() => asked);
  reading.reads += 1;
  const refusal = decideRefusal(name, found, { ...reading, chain: file.chain });
  if (refusal) return complain(...refusal);

  const text = await source.read(asked);
  parts.set(asked, text?.text ?? "");
  if (text === undefined) return complain(`there is no file ${name}`, "make it, or mend the name");
  if (text.text === undefined) return complain(`${name}: ${text.problem.message}`, text.problem.next);
  const shown = relative(reading.root, found);
  const inFile = (problem: ConfigProblem): ConfigProblem => ({ ...problem, file: shown });
  const parsed = parseSource(text.text, { isAnyValue: true });
  if ("problems" in parsed) {
    problems.push(...parsed.problems.map(inFile));
    return undefined;
  }
  const place = createPlace(text.text);
  const at: Place = (...finding) => inFile(place(...finding));
  return expand(parsed.value, { path: [], file: { path: found, at, chain: [...file.chain, found] } }, reading);
}

/** @returns what is wrong with including it, and the next step. */
function decideRefusal(
  name: string,
  found: string,
  { root, reads, chain }: Pick<Reading, "root" | "reads"> & Pick<File, "chain">,
): [string, string] | undefined {
  if (!found.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) {
    return [`${name} is outside of the config's folder`, `move it below ${root}`];
  }
  if (chain.includes(found)) {
    const names = [...chain, found].map((one) => basename(one)).join(" -> ");
    return [`${name} includes itself: ${names}`, "take one of them out"];
  }
  if (chain.length > maxDepth) return [`included more than ${maxDepth} files deep`, "include it higher up"];
  if (reads > maxReads) return [`more than ${maxReads} files are included`, "join some of them"];
  return undefined;
}

function merge(from: Node, to: Node, how: { isJoining: boolean }): Node {
  if (how.isJoining && from.kind === "list" && to.kind === "list")
    return { ...to, items: [...from.items, ...to.items] };
  if (from.kind !== "object" || to.kind !== "object") return to;
  const members = new Map(from.members);
  for (const [key, node] of to.members) {
    const there = members.get(key);
    members.set(key, there ? merge(there, node, how) : node);
  }
  return { ...to, members };
}

function toValue(node: Node): unknown {
  if (node.kind === "leaf") return node.value;
  if (node.kind === "list") return node.items.map(toValue);
  // never an assignment: a key called __proto__ stays a key, and is refused
  return Object.fromEntries([...node.members].map(([key, member]) => [key, toValue(member)]));
}

/** Of the nearest node around the place; `rest` leads on from there. */
function originOf(node: Node, path: readonly string[]): { origin: Origin; rest: readonly string[] } {
  const [key, ...after] = path;
  if (key === undefined || node.kind === "leaf") return { origin: node.origin, rest: path };
  const inner = node.kind === "list" ? node.items[Number(key)] : node.members.get(key);
  return inner ? originOf(inner, after) : { origin: node.origin, rest: path };
}
