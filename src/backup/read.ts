// Goes through an archive that anybody may have made: no path leads out, nothing comes twice, everything is what its list says.

import { createHash } from "node:crypto";

import { Fault } from "../base/fault.ts";
import {
  checkVersion,
  isSafePath,
  manifestPath,
  maxManifestBytes,
  parseManifest,
  type Manifest,
  type ManifestFile,
} from "./manifest.ts";
import { openSealed } from "./seal.ts";
import { readTar, type ReadEntry, type TarEntry } from "./tar.ts";

export interface Reading {
  /** Undefined when there is none that can be read. */
  readonly manifest: Manifest | undefined;
  /** One sentence each; empty when all is as it was written. */
  readonly problems: readonly string[];
}

/** Gets each file and folder on its way through; it need not read the bytes. */
export type Visit = (entry: TarEntry, bytes: AsyncIterable<Buffer>) => Promise<void>;

/**
 * @throws Fault `not_found` when there is no such file, `invalid_params` when a newer program made it. All else that is wrong
 * with it is a problem; what `visit` throws is thrown.
 */
export async function readBackup(path: string, visit: Visit): Promise<Reading> {
  const sealed = await openSealed(path);
  if (sealed.version !== undefined && sealed.isWhole) checkVersion(sealed.version);
  const problems = sealed.isWhole ? [] : ["the file is not as it was written: its checksum differs"];
  const seen = new Map<string, ManifestFile>();
  let manifest: Manifest | undefined;
  const take = async (entry: ReadEntry) => {
    if (manifest) throw notOurs(`${JSON.stringify(entry.path)} stands behind the list`);
    if (entry.path === manifestPath) manifest = parseManifest(await readText(entry));
    else seen.set(entry.path, await takeOne(entry, { seen, visit }));
  };
  try {
    for await (const entry of readTar(sealed.contents())) await take(entry);
    problems.push(...compare(manifest, seen));
  } catch (error) {
    if (!(error instanceof Fault && error.code === "invalid_params")) throw error;
    problems.push(error.message);
  }
  return { manifest, problems };
}

interface Taking {
  readonly seen: ReadonlyMap<string, ManifestFile>;
  readonly visit: Visit;
}

async function takeOne(entry: ReadEntry, { seen, visit }: Taking): Promise<ManifestFile> {
  const { path, kind, size, bytes } = entry;
  if (!isSafePath(path)) throw notOurs(`${JSON.stringify(path)} leads out of where it belongs`);
  if (seen.has(path)) throw notOurs(`${JSON.stringify(path)} comes twice`);
  const hash = createHash("sha256");
  const hashed = (async function* read() {
    for await (const chunk of bytes) {
      hash.update(chunk);
      yield chunk;
    }
  })();
  await visit(entry, hashed);
  // what the visitor did not read counts as well
  for await (const chunk of hashed) if (chunk.length === 0) continue;
  return { path, size: kind === "folder" ? -1 : size, sha256: hash.digest("hex") };
}

async function readText({ size, bytes }: ReadEntry): Promise<string> {
  if (size > maxManifestBytes) throw notOurs("its list is too long");
  const parts: Buffer[] = [];
  for await (const chunk of bytes) parts.push(chunk);
  return Buffer.concat(parts).toString("utf8");
}

function compare(manifest: Manifest | undefined, seen: ReadonlyMap<string, ManifestFile>): string[] {
  if (!manifest) return ["it has no list of what is in it"];
  const problems: string[] = [];
  const listed = new Set<string>();
  for (const { path, size, sha256 } of manifest.files) {
    const found = seen.get(path);
    if (listed.has(path)) problems.push(`${path}: listed twice`);
    else if (!found) problems.push(`${path}: missing`);
    else if (found.size !== size || found.sha256 !== sha256)
      problems.push(`${path}: its contents are not what was backed up`);
    listed.add(path);
  }
  for (const { path, size } of seen.values())
    if (size !== -1 && !listed.has(path)) problems.push(`${path}: not on its list`);
  return problems;
}

function notOurs(why: string): Fault {
  return new Fault("invalid_params", `the archive was not made by backup create: ${why}`, { next: "do not use it" });
}
