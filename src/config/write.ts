// The config file is changed here and nowhere else: one writer at a time over all processes, checked before it is written, old
// or new file after a crash and never a third thing (R8).

import { dirname } from "node:path";

import { sleep, type Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { ensureFolder, followLink, writeFileAtomic } from "../platform/files.ts";
import { lockRetryMs, withLock } from "../platform/lock.ts";
import type { Config } from "../settings/config.ts";
import type { ConfigProblem } from "./explain.ts";
import { mayInclude, readWhole } from "./include.ts";
import { migrateLegacy } from "./legacy.ts";
import { checkSource, parseSource } from "./parse.ts";
import { readConfigFile } from "./read.ts";
import { hashText, type ConfigFiles } from "./store.ts";

/** The file as it is now, whatever is in use. */
export interface SourceFile {
  readonly exists: boolean;
  /** undefined when there is none, or it cannot be read. */
  readonly text: string | undefined;
  readonly hash: string | undefined;
  /** What it says, nothing filled in; undefined when it cannot be parsed. An empty object when there is no file. */
  readonly value: Record<string, unknown> | undefined;
  /** The same with what it includes, and with keys of older programs in their new places. */
  readonly whole: Record<string, unknown> | undefined;
  /** With defaults; undefined when it has problems. */
  readonly config: Config | undefined;
  readonly problems: readonly ConfigProblem[];
  /** Keys of older programs that are read all the same. */
  readonly legacy: readonly ConfigProblem[];
}

export interface ConfigWriter {
  read(): Promise<SourceFile>;
  /**
   * `decide` gets the file and answers with its new text, or undefined to leave it as it is; what it throws is thrown. The text
   * before is kept beside it as `.bak`.
   * @returns the file as it is afterwards.
   * @throws Fault `invalid_params` when the new text has problems, listed in `details.issues`; nothing was written then.
   */
  write(decide: (source: SourceFile) => string | undefined): Promise<SourceFile>;
}

export interface WriterOptions {
  readonly files: Pick<ConfigFiles, "path" | "variable">;
  readonly clock: Clock;
  /** A file that was broken before may stay so as long as no problem is new: it is mended step by step. */
  readonly isMending?: boolean;
  /** Problems do not count. */
  readonly isForced?: boolean;
}

export function createConfigWriter({ files, clock, isMending = false, isForced = false }: WriterOptions): ConfigWriter {
  let last: SourceFile | undefined;
  const read = async () => {
    last = await readSource(files, last);
    return last;
  };
  let queue: Promise<unknown> = Promise.resolve();

  const change = async (path: string, decide: (source: SourceFile) => string | undefined) => {
    const before = await read();
    const text = decide(before);
    if (text === undefined || text === before.text) return before;
    const after = await inspect(text, files);
    const known = new Set(isMending ? before.problems.map(nameProblem) : []);
    const isBad = after.problems.some((problem) => !known.has(nameProblem(problem)));
    if (isBad && !isForced) throw invalidConfig(after.problems);
    if (before.text !== undefined) await save(`${path}.bak`, before.text);
    await save(path, text);
    return after;
  };

  return {
    read,
    async write(decide) {
      const path = await followLink(files.path);
      await ensureFolder(dirname(path));
      const mine = queue.then(() => withLock(`${path}.lock`, clock, () => change(path, decide)));
      // the next one of ours leaves other writers the time to get theirs in
      queue = mine.then(
        () => sleep(clock, 2 * lockRetryMs),
        () => undefined,
      );
      return mine;
    },
  };
}

const nameProblem = ({ path, message }: ConfigProblem) => `${path}: ${message}`;

/** A text that is the same as last time is not parsed again: clients ask often, and the file changes seldom. */
async function readSource(files: WriterOptions["files"], last: SourceFile | undefined): Promise<SourceFile> {
  const file = await readConfigFile(files.path);
  if (file === undefined) return { ...(await inspect("{}", files)), exists: false, text: undefined, hash: undefined };
  if (file.text !== undefined) {
    return file.text === last?.text && !mayInclude(file.text) ? last : inspect(file.text, files);
  }
  const problems = [file.problem];
  return {
    exists: true,
    text: undefined,
    hash: undefined,
    value: undefined,
    whole: undefined,
    config: undefined,
    problems,
    legacy: [],
  };
}

async function inspect(text: string, { path, variable }: WriterOptions["files"]): Promise<SourceFile> {
  const source = parseSource(text);
  const whole = "value" in source ? await readWhole(path, text, source.value) : undefined;
  const problems = "problems" in source ? source.problems : (whole?.problems ?? []);
  const parsed = whole && problems.length === 0 ? checkSource(whole.value, whole.at, variable) : { problems };
  return {
    exists: true,
    text,
    hash: hashText(text),
    value: "value" in source ? source.value : undefined,
    whole: whole && migrateLegacy(whole.value).document,
    config: "config" in parsed ? parsed.config : undefined,
    problems: "config" in parsed ? [] : parsed.problems,
    legacy: "config" in parsed ? parsed.legacy : [],
  };
}

export const toIssue = ({ path, file, line, column, message, next }: ConfigProblem) => ({
  path,
  message: `${file === undefined ? "" : `${file}:${line}:${column} `}${message}; ${next}`,
  line,
  column,
});

function invalidConfig(problems: readonly ConfigProblem[]): Fault {
  const field = problems[0]?.path;
  return new Fault("invalid_params", "invalid config", {
    ...(field ? { field } : {}),
    next: "mend what details.issues lists; nothing was written",
    details: { issues: problems.map(toIssue) },
  });
}

async function save(path: string, text: string): Promise<void> {
  try {
    await writeFileAtomic(path, text);
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new Fault("storage", `the config cannot be written: ${path} (${reason})`, {
      cause,
      next: "make its folder writable, with room on its disk",
    });
  }
}
