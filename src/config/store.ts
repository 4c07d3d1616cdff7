// The config in use. A file with errors never replaces a working config: the last good one stays, also over a restart (R9).
// A reader that fails to parse never writes.

import { createHash } from "node:crypto";
import { dirname } from "node:path";

import { Fault } from "../base/fault.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../platform/files.ts";
import type { Config } from "../settings/config.ts";
import { renderProblem, type ConfigProblem } from "./explain.ts";
import { readWhole } from "./include.ts";
import { checkSource, defaultConfig, parseConfig, parseSource, type ParsedConfig, type Variable } from "./parse.ts";
import { readConfigFile } from "./read.ts";

export interface ConfigSnapshot {
  readonly path: string;
  readonly exists: boolean;
  readonly isValid: boolean;
  readonly problems: readonly ConfigProblem[];
  /** The same as lines for people. */
  readonly rendered: readonly string[];
  /** Keys of older programs in it, which are read in their new places. */
  readonly legacy: readonly ConfigProblem[];
  /** SHA-256 of the file's text, hex; undefined when there is no file. */
  readonly hash: string | undefined;
  /** Files that it includes, or tries to. */
  readonly parts: readonly string[];
  /** Changes when one of them does. */
  readonly partsHash: string;
  /** Where the config in use comes from. */
  readonly source: "file" | "last-good" | "defaults";
  readonly config: Config;
}

export interface ConfigStore {
  readonly files: ConfigFiles;
  current(): Config;
  snapshot(): ConfigSnapshot;
  /**
   * Reads the file again. With errors in it, or when it is gone, the config in use stays and the snapshot tells them. The same
   * text gives the same snapshot. `isWanted` false: the file is in order, and the config in use stays all the same.
   * @throws Fault `storage` when a good file could not be copied; the config in use stays.
   */
  reload(isWanted?: (config: Config) => boolean): Promise<ConfigSnapshot>;
}

export interface ConfigFiles {
  readonly path: string;
  /** A copy of the last file without errors; absent: none is read or kept (the CLI only looks). */
  readonly lastGoodPath?: string;
  readonly variable: Variable;
}

/**
 * Reads the file; a missing one means the defaults.
 * @throws Fault `config_invalid` listing `file:line:column key: problem; fix` when it has errors and no good one was kept.
 */
export async function openConfig(files: ConfigFiles): Promise<ConfigStore> {
  let snapshot = await loadConfig(files, { lastGood: () => readGood(files) });
  return {
    files,
    current: () => snapshot.config,
    snapshot: () => snapshot,
    async reload(isWanted = () => true) {
      const before = snapshot;
      const after = await loadConfig(files, { lastGood: async () => before.config, before });
      const { source, config } = before;
      snapshot = after === before || isWanted(after.config) ? after : { ...after, source, config };
      return snapshot;
    },
  };
}

interface Earlier {
  readonly lastGood: () => Promise<Config | undefined>;
  readonly before?: ConfigSnapshot;
}

async function loadConfig(files: ConfigFiles, { lastGood, before }: Earlier): Promise<ConfigSnapshot> {
  const { path } = files;
  const file = await readConfigFile(path);
  if (file === undefined) return withoutFile(path, before);
  const { text } = file;
  const hash = text === undefined ? undefined : hashText(text);
  const same = hash !== undefined && before?.hash === hash ? before : undefined;
  const read = text === undefined ? unread(file.problem) : await readAll(files, text);
  if (same?.partsHash === read.partsHash) return same;
  const { parsed, parts, partsHash } = read;
  const known = { path, exists: true, hash, parts, partsHash };
  if ("problems" in parsed) return keepBefore(known, parsed.problems, await lastGood());
  await keepGood(files, read.good);
  const { legacy } = parsed;
  return { ...known, ...allWell, legacy, source: "file", config: parsed.config };
}

function keepBefore(
  known: Pick<ConfigSnapshot, "path" | "exists" | "hash" | "parts" | "partsHash">,
  problems: readonly ConfigProblem[],
  config: Config | undefined,
): ConfigSnapshot {
  if (!config) throw invalid(known.path, problems);
  const rendered = problems.map((problem) => renderProblem(known.path, problem));
  return { ...known, isValid: false, problems, rendered, legacy: [], source: "last-good", config };
}

interface Read {
  readonly parsed: ParsedConfig;
  readonly parts: readonly string[];
  readonly partsHash: string;
  /** What to keep of it once it is found to be in order: one file, whatever it includes. */
  readonly good: string;
}

const unread = (problem: ConfigProblem): Read => ({ parsed: { problems: [problem] }, ...noParts, good: "" });

async function readAll({ path, variable }: ConfigFiles, text: string): Promise<Read> {
  const source = parseSource(text);
  if ("problems" in source) return { parsed: source, ...noParts, good: "" };
  const { value, parts, partsHash, problems, at } = await readWhole(path, text, source.value);
  const parsed = problems.length > 0 ? { problems } : checkSource(value, at, variable);
  return { parsed, parts, partsHash, good: parts.length === 0 ? text : JSON.stringify(value, null, 2) };
}

const noParts = { parts: [], partsHash: "" } as const;

/** A file that was there: somebody is about to put another in its place, or made a mistake. Neither is a wish for the defaults. */
function withoutFile(path: string, before: ConfigSnapshot | undefined): ConfigSnapshot {
  if (before?.exists === false) return before;
  if (!before) {
    return {
      path,
      exists: false,
      ...allWell,
      ...noParts,
      hash: undefined,
      source: "defaults",
      config: defaultConfig(),
    };
  }
  const { config } = before;
  const message = "the file is gone";
  const problem = { path: "", line: 1, column: 1, message, next: "put it back, or write {} into it for the defaults" };
  const told = { problems: [problem], rendered: [renderProblem(path, problem)] };
  return {
    path,
    exists: true,
    isValid: false,
    ...told,
    legacy: [],
    ...noParts,
    hash: undefined,
    source: "last-good",
    config,
  };
}

const allWell = { isValid: true, problems: [], rendered: [], legacy: [] } as const;

export const hashText = (text: string): string => createHash("sha256").update(text).digest("hex");

async function keepGood({ lastGoodPath }: ConfigFiles, text: string): Promise<void> {
  if (lastGoodPath === undefined) return;
  try {
    if ((await readTextIfExists(lastGoodPath)) === text) return;
    await ensureFolder(dirname(lastGoodPath));
    await writeFileAtomic(lastGoodPath, text);
  } catch (cause) {
    throw new Fault("storage", `the copy of the config could not be written: ${lastGoodPath}`, {
      cause,
      next: "make the state folder writable, with room on its disk",
    });
  }
}

/** What was good under an older program, or with a variable that is gone now, is not good any more: undefined. */
async function readGood({ lastGoodPath, variable }: ConfigFiles): Promise<Config | undefined> {
  const file = lastGoodPath === undefined ? undefined : await readConfigFile(lastGoodPath);
  if (file?.text === undefined) return undefined;
  const parsed = parseConfig(file.text, variable);
  return "config" in parsed ? parsed.config : undefined;
}

function invalid(path: string, problems: readonly ConfigProblem[]): Fault {
  const lines = problems.map((problem) => renderProblem(path, problem));
  return new Fault("config_invalid", `the config has errors:\n  ${lines.join("\n  ")}`, {
    ...(problems[0]?.path ? { field: problems[0].path } : {}),
    next: "mend the file at the places named",
  });
}
