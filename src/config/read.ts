// A file of the config as text.

import { stat } from "node:fs/promises";

import { reasonOf } from "../base/error-code.ts";
import { readTextIfExists } from "../platform/files.ts";
import type { ConfigProblem } from "./explain.ts";

export type ConfigFile = { readonly text: string } | { readonly text: undefined; readonly problem: ConfigProblem };

/** undefined when there is no file. One that is there and cannot be read is a problem of the file, not its absence. */
export async function readConfigFile(path: string): Promise<ConfigFile | undefined> {
  try {
    // it may be read any number of times, and a pipe gives what it has once, or never
    const found = await stat(path).catch(() => undefined);
    if (found?.isFIFO()) return cannotBeRead("it is a pipe", "put the config into a file");
    const text = await readTextIfExists(path);
    return text === undefined ? undefined : { text };
  } catch (error) {
    return cannotBeRead(reasonOf(error), "check what it is, and its owner");
  }
}

function cannotBeRead(reason: string, next: string): ConfigFile {
  const message = `the file cannot be read (${reason})`;
  return { text: undefined, problem: { path: "", line: 1, column: 1, message, next } };
}
