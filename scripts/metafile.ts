// What the build says of itself (dist/meta.json): which packages an entry loads at once, and how many bytes of them.

import { readFileSync } from "node:fs";

interface Output {
  readonly bytes: number;
  readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>;
  readonly imports: readonly { readonly path: string; readonly kind: string; readonly external?: boolean }[];
  readonly entryPoint?: string;
}

export interface Metafile {
  readonly outputs: Readonly<Record<string, Output>>;
}

export interface Entry {
  /** The source module: `src/cli/main.ts`. */
  readonly source: string;
  /** The bundle that holds it. */
  readonly file: string;
  readonly bytes: number;
  /** Sorted; our own sources are not among them. */
  readonly packages: readonly string[];
  /** Sorted source files and package files. */
  readonly inputs: readonly string[];
}

export function readMetafile(path: string): Metafile {
  // written by our build
  return JSON.parse(readFileSync(path, "utf8")) as Metafile;
}

/** All modules of `src/` that have a bundle of their own: the entries and what is imported lazily. */
export function listEntries(meta: Metafile): readonly Entry[] {
  const entries = Object.entries(meta.outputs).flatMap(([file, { entryPoint }]) =>
    entryPoint?.startsWith("src/") ? [describe(meta, entryPoint, file)] : [],
  );
  // what the command line and the Gateway both load lazily has a file in each of their bundles: the larger one counts
  const bySource = new Map<string, Entry>();
  for (const entry of entries) {
    if ((bySource.get(entry.source)?.bytes ?? 0) < entry.bytes) bySource.set(entry.source, entry);
  }
  return [...bySource.values()].toSorted((a, b) => (a.source < b.source ? -1 : 1));
}

export function findEntry(meta: Metafile, source: string): Entry {
  const found = listEntries(meta).find((entry) => entry.source === source);
  if (!found) throw new Error(`no bundle for ${source}: is it still imported lazily?`);
  return found;
}

function describe(meta: Metafile, source: string, file: string): Entry {
  const outputs = eagerFiles(meta, file).flatMap((name) => meta.outputs[name] ?? []);
  const inputs = [...new Set(outputs.flatMap((output) => Object.keys(output.inputs)))].toSorted();
  return {
    source,
    file,
    bytes: outputs.reduce((sum, output) => sum + output.bytes, 0),
    packages: [...new Set(inputs.flatMap((input) => packageOf(input) ?? []))],
    inputs,
  };
}

/** The file and everything it imports without being asked to wait. */
function eagerFiles(meta: Metafile, file: string): readonly string[] {
  const found = new Set([file]);
  for (const name of found) {
    for (const { path, kind, external } of meta.outputs[name]?.imports ?? []) {
      if (kind !== "dynamic-import" && !external) found.add(path);
    }
  }
  return [...found];
}

export function packageOf(input: string): string | undefined {
  return /^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//u.exec(input)?.[1];
}
