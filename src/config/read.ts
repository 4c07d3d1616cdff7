// A file of the config as text.

import { readTextIfExists } from "../platform/files.ts";
import type { ConfigProblem } from "./explain.ts";

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
