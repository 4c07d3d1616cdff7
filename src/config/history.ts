// Versions of one config file that were in use or were replaced: a file each in the state folder, named by its text's hash, bounded
// by number and bytes. There is no index that could be lost: the name says when and what, and the text proves the name.

import { createHash } from "node:crypto";
import { readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

import type { Clock } from "../base/clock.ts";
import { codeOf, isCode } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";
import { isRecord, parseJson } from "../base/json.ts";
import { adviseWriting, ensureFolder, readTextIfExists, writeFileAtomic } from "../platform/files.ts";

/** What a version consists of: the config file, and the files that it includes. */
export interface ConfigContent {
  readonly text: string;
  readonly parts: readonly ConfigPart[];
}

export interface ConfigPart {
  /** From the folder of the config file. */
  readonly name: string;
  readonly text: string;
}

export interface ConfigVersion {
  /** Beginning of the hash of its content. */
  readonly id: string;
  /** When it was taken up or replaced last; ms since the epoch. */
  readonly at: number;
  /** A Gateway has worked with it. False: it was written and replaced, nobody knows more. */
  readonly isGood: boolean;
  readonly bytes: number;
}

export interface ConfigHistory {
  /** Newest first, each content once. Empty when there is none, or it cannot be read. */
  list(): Promise<readonly ConfigVersion[]>;
  /** undefined when it is gone, or is not what its name says any more. */
  read(version: ConfigVersion): Promise<ConfigContent | undefined>;
  /** @throws Fault `storage` when it cannot be written. */
  keep(content: ConfigContent, isGood: boolean): Promise<void>;
}

export interface HistoryOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** Absent: 50. */
  readonly maxVersions?: number;
  /** Of all versions together; absent: 8 MiB. The newest good one stays whatever it takes. */
  readonly maxBytes?: number;
}

const idLength = 16;
const namePattern = /^(\d{13,})-([0-9a-f]{16})-(good|kept)\.(json5|bundle)$/u;
/** What is being written, or was when a crash came: after this time it is the latter. */
const temporaryPattern = /\.tmp$/u;
const leftOverMs = 60_000;

/** Of a version that is this content. */
export const contentId = (content: ConfigContent): string =>
  createHash("sha256").update(encode(content)).digest("hex").slice(0, idLength);

interface Entry extends ConfigVersion {
  readonly name: string;
}

export function createConfigHistory(options: HistoryOptions): ConfigHistory {
  const { folder, clock, maxVersions = 50, maxBytes = 8 * 1024 * 1024 } = options;

  const readNames = (): Promise<readonly string[]> => readdir(folder).catch(() => []);
  const readEntries = async () => toEntries(await readNames());
  /** Each content once, with its bytes. */
  const measure = (all: readonly Entry[]) => {
    const first = all.filter((entry, index) => all.findIndex(({ id }) => id === entry.id) === index);
    const sized = first.map(async (entry): Promise<Entry> => {
      const isGood = all.some(({ id, isGood: good }) => good && id === entry.id);
      const bytes = await stat(join(folder, entry.name)).then(
        ({ size }) => size,
        () => 0,
      );
      return { ...entry, isGood, bytes };
    });
    return Promise.all(sized);
  };
  const list = async () => measure(await readEntries());
  const isLeftOver = async (name: string) =>
    temporaryPattern.test(name) &&
    (await stat(join(folder, name)).then(
      ({ mtimeMs }) => clock.now() - mtimeMs > leftOverMs,
      () => false,
    ));
  // other processes keep versions at the same time: what was not there when this one looked is not its to judge
  const prune = async () => {
    const names = await readNames();
    const entries = await measure(toEntries(names));
    const newestGood = entries.find(({ isGood }) => isGood);
    let bytes = 0;
    const kept = new Set<string>();
    for (const [index, entry] of entries.entries()) {
      bytes += entry.bytes;
      if (entry === newestGood || (index < maxVersions && bytes <= maxBytes)) kept.add(entry.name);
    }
    for (const name of names) {
      if (parseName(name) ? kept.has(name) : !(await isLeftOver(name))) continue;
      await unlink(join(folder, name)).catch(() => undefined);
    }
  };
  const keep = async (content: ConfigContent, isGood: boolean) => {
    const id = contentId(content);
    const entries = await list();
    const [newest] = entries;
    if (newest?.id === id && newest.isGood >= isGood) return;
    const known = entries.find((entry) => entry.id === id);
    const at = Math.max(clock.now(), (newest?.at ?? 0) + 1);
    const name = nameOf({ id, at, isGood: isGood || known?.isGood === true }, content);
    await ensureFolder(folder);
    const isThere = known !== undefined && (await isWhole(join(folder, known.name), id));
    const isMoved = isThere && (await move(join(folder, known.name), join(folder, name)));
    if (!isMoved) await writeFileAtomic(join(folder, name), encode(content));
    await prune();
  };

  return {
    list,
    async read(version) {
      const entry = (await readEntries()).find(({ id }) => id === version.id);
      const text = entry && (await readTextIfExists(join(folder, entry.name)).catch(() => undefined));
      if (!entry || text === undefined || hashOf(text) !== version.id) return undefined;
      return decode(text, entry.name.endsWith(".bundle"));
    },
    async keep(content, isGood) {
      try {
        await keep(content, isGood);
      } catch (cause) {
        const code = codeOf(cause);
        const reason = code === undefined ? "" : ` (${code})`;
        throw new Fault("storage", `the config's history cannot be written: ${folder}${reason}`, {
          cause,
          next: adviseWriting(folder, cause),
        });
      }
    },
  };
}

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, idLength);

async function isWhole(path: string, id: string): Promise<boolean> {
  const text = await readTextIfExists(path);
  return text !== undefined && hashOf(text) === id;
}

/** @returns false when another process has moved or removed it meanwhile. */
async function move(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (isCode(error, "ENOENT")) return false;
    throw error;
  }
}

/** Newest first. */
function toEntries(names: readonly string[]): readonly Entry[] {
  const entries = names.map(parseName).filter((entry) => entry !== undefined);
  return entries.toSorted((a, b) => b.at - a.at || (a.name < b.name ? 1 : -1));
}

function nameOf({ id, at, isGood }: Omit<ConfigVersion, "bytes">, { parts }: ConfigContent): string {
  const [mark, form] = [isGood ? "good" : "kept", parts.length > 0 ? "bundle" : "json5"];
  return `${String(at).padStart(13, "0")}-${id}-${mark}.${form}`;
}

function parseName(name: string): Entry | undefined {
  const [, at, id, mark] = namePattern.exec(name) ?? [];
  if (at === undefined || id === undefined) return undefined;
  return { name, id, at: Number(at), isGood: mark === "good", bytes: 0 };
}

/** One file is kept as it is, for people to look at. */
function encode({ text, parts }: ConfigContent): string {
  return parts.length === 0 ? text : JSON.stringify({ text, parts }, undefined, 2);
}

function decode(text: string, isBundle: boolean): ConfigContent | undefined {
  if (!isBundle) return { text, parts: [] };
  const bundle = parseJson(text);
  if (!isRecord(bundle) || typeof bundle["text"] !== "string" || !Array.isArray(bundle["parts"])) return undefined;
  const parts = bundle["parts"].filter(
    (part): part is ConfigPart =>
      isRecord(part) && typeof part["name"] === "string" && typeof part["text"] === "string",
  );
  return { text: bundle["text"], parts };
}
