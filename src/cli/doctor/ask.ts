// A question to the person at the terminal.

import type { Output } from "../render/output.ts";

/** True for yes; an empty answer, the end of the input and anything else mean no. */
export type Ask = (question: string) => Promise<boolean>;

/** undefined when nobody is there to answer. */
export function askPerson({ isTerminal }: Output): Ask | undefined {
  const { stdin, stdout } = process;
  if (!isTerminal || stdin.isTTY !== true) return undefined;
  return async (question) => {
    const { createInterface } = await import("node:readline");
    return new Promise((resolve) => {
      const lines = createInterface({ input: stdin, output: stdout });
      lines.once("close", () => resolve(false));
      lines.question(`  ${question} [y/N] `, (answer) => {
        resolve(/^\s*y(?:es)?\s*$/iu.test(answer));
        lines.close();
      });
    });
  };
}
