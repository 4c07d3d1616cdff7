// The config in use. A file with errors never replaces a working config: the last good one stays, also over a restart (R9).
// A reader that fails to parse never writes.

import { createHash } from "node:crypto";
import { dirname } from "node:path";

import { Fault } from "../base/fault.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../platform/files.ts";
import type { Config } from "../settings/config.ts";
import { defaultConfig, parseConfig, renderProblem, type ConfigProblem } from "./parse.ts";

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
  current(): Config;
  snapshot(): ConfigSnapshot;
}

export interface ConfigFiles {
  readonly path: string;
  /** A copy of the last file without errors; absent: none is read or kept (the CLI only looks). */
  readonly lastGoodPath?: string;
  readonly variable: (name: string) => string | undefined;
}

/**
 * Reads the file; a missing one means the defaults.
 * @throws Fault `config_invalid` listing `file:line:column key: problem; fix` when it has errors and no good one was kept.
 */
export async function openConfig(files: ConfigFiles): Promise<ConfigStore> {
  const snapshot = await loadConfig(files);
  return { current: () => snapshot.config, snapshot: () => snapshot };
}

async function loadConfig(files: ConfigFiles): Promise<ConfigSnapshot> {
  const { path } = files;
  const text = await readTextIfExists(path);
  if (text === undefined) {
    return {
      path,
      exists: false,
      isValid: true,
      problems: [],
      rendered: [],
      hash: undefined,
      source: "defaults",
      config: defaultConfig(),
    };
  }
  const hash = createHash("sha256").update(text).digest("hex");
  const parsed = parseConfig(text, files.variable);
  if ("config" in parsed) {
    await keepGood(files, text);
    return {
      path,
      exists: true,
      isValid: true,
      problems: [],
      rendered: [],
      hash,
      source: "file",
      config: parsed.config,
    };
  }
  const config = await readGood(files);
  if (!config) throw invalid(path, parsed.problems);
  const rendered = parsed.problems.map((problem) => renderProblem(path, problem));
  return { path, exists: true, isValid: false, problems: parsed.problems, rendered, hash, source: "last-good", config };
}

async function keepGood({ lastGoodPath }: ConfigFiles, text: string): Promise<void> {
  if (lastGoodPath === undefined || (await readTextIfExists(lastGoodPath)) === text) return;
  await ensureFolder(dirname(lastGoodPath));
  await writeFileAtomic(lastGoodPath, text);
}

async function readGood({ lastGoodPath, variable }: ConfigFiles): Promise<Config | undefined> {
  const text = lastGoodPath === undefined ? undefined : await readTextIfExists(lastGoodPath);
  if (text === undefined) return undefined;
  const parsed = parseConfig(text, variable);
  return "config" in parsed ? parsed.config : undefined;
}

function invalid(path: string, problems: readonly ConfigProblem[]): Fault {
  const lines = problems.map((problem) => renderProblem(path, problem));
  return new Fault("config_invalid", `the config has errors:\n  ${lines.join("\n  ")}`, {
    ...(problems[0]?.path ? { field: problems[0].path } : {}),
    next: "mend the file at the places named",
  });
}
