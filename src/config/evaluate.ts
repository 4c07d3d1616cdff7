// A config text with all that belongs to it -> what it says and what comes of it: read from the disk, or from a version that is kept.

import { relative, resolve } from "node:path";

import { followLink } from "../platform/files.ts";
import type { ConfigProblem } from "./explain.ts";
import type { ConfigContent, ConfigHistory } from "./history.ts";
import { readWhole, type PartSource } from "./include.ts";
import { migrateLegacy } from "./legacy.ts";
import { checkSource, parseSource, type ParsedConfig, type Variable } from "./parse.ts";
import { readConfigFile } from "./read.ts";
import { findSecrets } from "./secret-refs.ts";

export interface Evaluated {
  readonly content: ConfigContent;
  /** What the file itself says, nothing filled in; undefined when it cannot be parsed. */
  readonly value: Record<string, unknown> | undefined;
  /** The same with what it includes, and with keys of older programs in their new places. */
  readonly whole: Record<string, unknown> | undefined;
  readonly parsed: ParsedConfig;
  /** What is in order and still has to be known. */
  readonly warnings: readonly ConfigProblem[];
  /** Files that it includes, or tries to. */
  readonly parts: readonly string[];
  /** Files that hold secrets of it, or should. */
  readonly secretFiles: readonly string[];
  /** Changes when one of either does. */
  readonly partsHash: string;
}

export interface Evaluating {
  readonly path: string;
  readonly variable: Variable;
}

export interface ConfigFiles extends Evaluating {
  /** Versions that were good, or were replaced; absent: none is read or kept. */
  readonly history?: ConfigHistory;
}

/** The file's text with the parts that are on the disk. */
export function evaluateText(text: string, how: Evaluating): Promise<Evaluated> {
  return evaluate(text, how, { follow: followLink, read: readConfigFile });
}

/** A whole version, whatever is on the disk now. */
export function evaluateContent({ text, parts }: ConfigContent, how: Evaluating): Promise<Evaluated> {
  return evaluate(text, how, {
    follow: async (path) => path,
    async read(path) {
      const found = parts.find(({ name }) => resolve(how.path, "..", name) === path);
      return found && { text: found.text };
    },
  });
}

async function evaluate(text: string, { path, variable }: Evaluating, source: PartSource): Promise<Evaluated> {
  const own = parseSource(text);
  if ("problems" in own) {
    const nothing = { value: undefined, whole: undefined, warnings: [], parts: [], secretFiles: [], partsHash: "" };
    return { ...nothing, content: { text, parts: [] }, parsed: own };
  }
  const whole = await readWhole(path, { text, value: own.value }, source);
  const home = variable("HOME") ?? variable("USERPROFILE");
  const secrets = await findSecrets(whole.value, { path, home, at: whole.at });
  const problems = [...whole.problems, ...secrets.problems];
  return {
    content: {
      text,
      parts: [...whole.texts].map(([part, itsText]) => ({ name: relative(whole.root, part), text: itsText })),
    },
    value: own.value,
    whole: migrateLegacy(whole.value).document,
    parsed: problems.length > 0 ? { problems } : checkSource(secrets.value, whole.at, variable),
    warnings: secrets.warnings,
    parts: [...whole.texts.keys()],
    secretFiles: secrets.files,
    partsHash: `${whole.partsHash}${secrets.hash}`,
  };
}

export const problemsOf = (parsed: ParsedConfig): readonly ConfigProblem[] =>
  "problems" in parsed ? parsed.problems : [];

/** Keys of older programs that are read all the same. */
export const legacyOf = (parsed: ParsedConfig): readonly ConfigProblem[] => ("legacy" in parsed ? parsed.legacy : []);
