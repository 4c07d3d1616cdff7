// A command as people read it, and as it is bound: what was approved is what runs (S36).

import { createHash } from "node:crypto";

import { canonicalJson } from "../base/json.ts";

export interface Command {
  /** Undefined when only a text is known. */
  readonly argv: readonly string[] | undefined;
  readonly text: string | undefined;
  readonly cwd: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly nodeId: string | null;
}

/** Quoted so that two different lists never read the same; control characters are shown as escapes. */
export function renderArgv(argv: readonly string[]): string {
  return argv
    .map((word) =>
      /^[\w@%+=:,./-]+$/u.test(word)
        ? word
        : JSON.stringify(word).replaceAll(/[\u007f-\u009f\u200b-\u200f\u2028-\u202f\u2066-\u2069\ufeff]/gu, escape),
    )
    .join(" ");
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Equal for the same command alone. */
export function bindCommand({ argv, text, cwd, env, nodeId }: Command): string {
  const what = argv === undefined ? { text: text ?? "" } : { argv };
  return createHash("sha256")
    .update(canonicalJson({ ...what, cwd, env, nodeId }))
    .digest("base64url");
}
