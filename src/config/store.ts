// The config in use. A file with errors never replaces a working config: the last good one stays, also over a restart (R9).
// A reader that fails to parse never writes.

import { createHash } from "node:crypto";
import { dirname } from "node:path";

import { Fault } from "../base/fault.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../platform/files.ts";
import type { Config } from "../settings/config.ts";
import { renderProblem, type ConfigProblem } from "./explain.ts";
import { defaultConfig, parseConfig, type Variable } from "./parse.ts";

export interface ConfigSnapshot {
  readonly path: string;
  readonly exists: boolean;
  readonly isValid: boolean;
  readonly problems: readonly ConfigProblem[];
  /** The same as lines for people. */
  readonly rendered: readonly string[];
  /** SHA-256 of the file's text, hex; undefined when there is no file. */
  readonly hash: string | undefined;
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
  if (before && hash !== undefined && hash === before.hash) return before;
  const parsed = text === undefined ? { problems: [file.problem] } : parseConfig(text, files.variable);
  if ("config" in parsed) {
    await keepGood(files, text ?? "");
    return { path, exists: true, ...allWell, hash, source: "file", config: parsed.config };
  }

  const { problems } = parsed;
  const config = await lastGood();
  if (!config) throw invalid(path, problems);
  const rendered = problems.map((problem) => renderProblem(path, problem));
  return { path, exists: true, isValid: false, problems, rendered, hash, source: "last-good", config };
}

/** A file that was there: somebody is about to put another in its place, or made a mistake. Neither is a wish for the defaults. */
function withoutFile(path: string, before: ConfigSnapshot | undefined): ConfigSnapshot {
  if (before?.exists === false) return before;
  if (!before) {
    return { path, exists: false, ...allWell, hash: undefined, source: "defaults", config: defaultConfig() };
  }
  const { config } = before;
  const message = "the file is gone";
  const problem = { path: "", line: 1, column: 1, message, next: "put it back, or write {} into it for the defaults" };
  const told = { problems: [problem], rendered: [renderProblem(path, problem)] };
  return { path, exists: true, isValid: false, ...told, hash: undefined, source: "last-good", config };
}

const allWell = { isValid: true, problems: [], rendered: [] } as const;

export const hashText = (text: string): string => createHash("sha256").update(text).digest("hex");

export type ConfigFile = { readonly text: string } | { readonly text: undefined; readonly problem: ConfigProblem };

/** undefined when there is no file. One that is there and cannot be read is a problem of the file, not its absence. */
export async function readConfigFile(path: string): Promise<ConfigFile | undefined> {
  try {
    const text = await readTextIfExists(path);
    return text === undefined ? undefined : { text };
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const message = `the file cannot be read (${reason})`;
    return {
      text: undefined,
      problem: { path: "", line: 1, column: 1, message, next: "check what it is, and its owner" },
    };
  }
}

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
