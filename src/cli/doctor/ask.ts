// A question to the person at the terminal.

import { Fault } from "../../base/fault.ts";
import type { Output } from "../render/output.ts";

/**
 * True for yes; an empty answer, the end of the input and anything else mean no.
 * @throws Fault `aborted` for Ctrl-C: whoever leaves wants nothing of it, what was said yes to before neither.
 */
export type Ask = (question: string) => Promise<boolean>;

/** undefined when nobody is there to answer. */
export function askPerson({ isTerminal }: Output): Ask | undefined {
  const { stdin, stdout } = process;
  if (!isTerminal || stdin.isTTY !== true) return undefined;
  return async (question) => {
    const { createInterface } = await import("node:readline");
    return new Promise((resolve, reject) => {
      const lines = createInterface({ input: stdin, output: stdout });
      lines.once("SIGINT", () => {
        stdout.write("\n");
        reject(new Fault("aborted", "cancelled: nothing was changed"));
        lines.close();
      });
      lines.once("close", () => resolve(false));
      lines.question(`  ${question} [y/N] `, (answer) => {
        resolve(/^\s*y(?:es)?\s*$/iu.test(answer));
        lines.close();
      });
    });
  };
}
