// The config file is changed here and nowhere else: one writer at a time over all processes, checked before it is written, old
// or new file after a crash and never a third thing (R8).

import { rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { sleep, type Clock } from "../base/clock.ts";
import { codeOf, isCode, reasonOf } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";
import { ensureFolder, followLink, readTextIfExists, writeFileAtomic } from "../platform/files.ts";
import { lockRetryMs, withLock } from "../platform/lock.ts";
import { swapFile } from "../platform/swap-file.ts";
import type { Config } from "../settings/config.ts";
import { evaluateContent, evaluateText, legacyOf, problemsOf, type ConfigFiles, type Evaluated } from "./evaluate.ts";
import type { ConfigProblem } from "./explain.ts";
import type { ConfigContent, ConfigPart } from "./history.ts";
import { mayInclude } from "./include.ts";
import { parseSource } from "./parse.ts";
import { readConfigFile } from "./read.ts";
import { hashText } from "./store.ts";

/** The file as it is now, whatever is in use. */
export interface SourceFile {
  readonly exists: boolean;
  /** undefined when there is none, or it cannot be read. */
  readonly text: string | undefined;
  readonly hash: string | undefined;
  /** It with what it includes, as the history keeps it. */
  readonly content: ConfigContent | undefined;
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
   * `decide` gets the file and answers with its new text, or undefined to leave it as it is; what it throws is thrown. A whole
   * content is written with its parts. What was there before goes into the history, and beside the file as `.bak`.
   * @returns the file as it is afterwards.
   * @throws Fault `invalid_params` when the new text has problems, listed in `details.issues`; nothing was written then.
   */
  write(decide: (source: SourceFile) => Written): Promise<SourceFile>;
}

/** Hands that change the file in the very moment of our writing. */
const maxAttempts = 20;
/** Half a file that was saved less than `freshMs` ago is looked at so often again. */
const maxLooks = 10;
const lookMs = 50;
const freshMs = 1_000;

export type Written = string | ConfigContent | undefined;

export interface WriterOptions {
  readonly files: ConfigFiles;
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
  /** A file that cannot be parsed may be half of a save that is on its way. */
  const readSettled = async () => {
    let source = await read();
    for (let looks = 0; looks < maxLooks && isUnreadable(source) && (await isFresh(files.path, clock)); looks += 1) {
      await sleep(clock, lookMs);
      source = await read();
    }
    return source;
  };
  let queue: Promise<unknown> = Promise.resolve();

  /** @returns undefined when a hand has changed the file meanwhile: an editor takes no lock. */
  const changeOnce = async (path: string, decide: (source: SourceFile) => Written) => {
    const before = await readSettled();
    const decided = decide(before);
    if (decided === undefined || decided === before.text) return before;
    const isText = typeof decided === "string";
    const { text, parts } = isText ? { text: decided, parts: [] } : decided;
    const after = toSource(await (isText ? evaluateText(text, files) : evaluateContent(decided, files)));
    const known = new Set(isMending ? before.problems.map(nameProblem) : []);
    const isBad = after.problems.some((problem) => !known.has(nameProblem(problem)));
    if (isBad && !isForced) throw invalidConfig(after.problems);
    if (before.content) await files.history?.keep(before.content, false);
    // the main file last: until then the parts are those of the one before, or those that it is about to name
    for (const part of parts) await replaceBelow(path, part, after);
    return (await replace(path, text, { text: before.text, clock })) ? after : undefined;
  };
  const change = async (path: string, decide: (source: SourceFile) => Written) => {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const after = await changeOnce(path, decide);
      if (after) return after;
    }
    throw new Fault("storage", `${path} is being changed by something else all the time`, {
      next: "stop what writes it, and try again",
    });
  };

  return {
    read,
    async write(decide) {
      const path = await prepare(files.path);
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

/** @returns where the file is, in a folder that is there. */
async function prepare(path: string): Promise<string> {
  try {
    const place = await followLink(path);
    await ensureFolder(dirname(place));
    return place;
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

function cannotWrite(path: string, cause: unknown): Fault {
  const next =
    codeOf(cause) === "ELOOP"
      ? "the links lead in a circle: put a file in the place of one"
      : "make its folder writable, with room on its disk";
  return new Fault("storage", `the config cannot be written: ${path} (${reasonOf(cause)})`, { cause, next });
}

const isUnreadable = ({ text, value }: SourceFile) => text !== undefined && value === undefined;

async function isFresh(path: string, clock: Clock): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && clock.now() - found.mtimeMs < freshMs;
}

const isWhole = (text: string) => "value" in parseSource(text);

const nameProblem = ({ path, message }: ConfigProblem) => `${path}: ${message}`;

/** A text that is the same as last time is not parsed again: clients ask often, and the file changes seldom. */
async function readSource(files: WriterOptions["files"], last: SourceFile | undefined): Promise<SourceFile> {
  const file = await readConfigFile(files.path);
  if (file === undefined) {
    const empty = toSource(await evaluateText("{}", files));
    return { ...empty, exists: false, text: undefined, hash: undefined, content: undefined };
  }
  if (file.text !== undefined) {
    if (file.text === last?.text && !mayInclude(file.text)) return last;
    return toSource(await evaluateText(file.text, files));
  }
  const nothing = { text: undefined, hash: undefined, content: undefined, value: undefined, whole: undefined };
  return { ...nothing, exists: true, config: undefined, problems: [file.problem], legacy: [] };
}

function toSource({ content, value, whole, parsed }: Evaluated): SourceFile {
  const config = "config" in parsed ? parsed.config : undefined;
  const { text } = content;
  const known = { exists: true, text, hash: hashText(text), content, value, whole, config };
  return { ...known, problems: problemsOf(parsed), legacy: legacyOf(parsed) };
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

/** A part that the config does not include is not its to write. */
async function replaceBelow(path: string, { name, text }: ConfigPart, { content }: SourceFile): Promise<void> {
  if (content?.parts.some((part) => part.name === name) === true) await replace(join(dirname(path), name), text);
}

interface Expected {
  readonly text: string | undefined;
  readonly clock: Clock;
}

/**
 * What is there goes into `.bak`, what was there into `.bak.1`, and so on: each step leaves whole files. `expected`: what must be there;
 * absent: anything.
 * @returns false when something else is there, or came at the same time: it is there still.
 */
async function replace(path: string, text: string, expected?: Expected): Promise<boolean> {
  try {
    const before = await readTextIfExists(path);
    if (expected !== undefined && before !== expected.text) return false;
    if (before === text) return true;
    if (before !== undefined && (await readTextIfExists(`${path}.bak`)) !== before) {
      await rotate(path);
      await writeFileAtomic(`${path}.bak`, before);
    }
    await ensureFolder(dirname(path));
    if (expected) return await swapFile(path, text, { expected: before, isWhole, clock: expected.clock });
    await writeFileAtomic(path, text);
    return true;
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

async function rotate(path: string): Promise<void> {
  const names = [`${path}.bak`, ...[1, 2, 3, 4].map((number) => `${path}.bak.${number}`)];
  for (let index = names.length - 1; index > 0; index -= 1) {
    const [from, to] = [names[index - 1], names[index]];
    try {
      if (from !== undefined && to !== undefined) await rename(from, to);
    } catch (error) {
      if (!isCode(error, "ENOENT")) throw error;
    }
  }
}
