// One question before something that cannot be taken back easily.

import { createInterface } from "node:readline/promises";

import { Fault } from "../base/fault.ts";
import type { Context } from "./context.ts";

/**
 * Asks at the terminal; anything but yes is no.
 * @throws Fault `usage` where nobody can be asked: no terminal, or somebody wants JSON.
 */
export async function confirm({ flags, out }: Context, question: string, flag = "--force"): Promise<boolean> {
  if (flags.json === true || !process.stdin.isTTY || !out.isTerminal)
    throw new Fault("usage", "this changes what is here, and nobody can be asked", {
      field: flag,
      next: `pass ${flag} to go on, or --dry-run to see what would be done`,
    });
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // the end of the input, and Ctrl-C, are no as well
  const closed = new Promise<string>((resolve) => {
    terminal.once("close", () => resolve(""));
  });
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), closed]);
    if (/^y(?:es)?$/iu.test(answer.trim())) return true;
    out.error("nothing was changed");
    return false;
  } finally {
    terminal.close();
  }
}
