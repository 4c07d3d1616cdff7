// Ctrl-C during a request: the first one stops what was asked for, the second one ends the command at once.

import { Fault } from "../base/fault.ts";

export interface Interrupted<Outcome> {
  /** 128 and the signal's number, as shells count. */
  readonly exitCode: number;
  /** What stopping came to; undefined when it failed. */
  readonly outcome: Outcome | undefined;
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;
const signals = Object.keys(exitCodes) as (keyof typeof exitCodes)[];

/** The value of `work`, or how it was interrupted: `stop` has run then. Signals are taken before `work` begins. */
export async function interruptible<T extends object, Outcome>(
  work: () => Promise<T>,
  stop: () => Promise<Outcome>,
): Promise<T | Interrupted<Outcome>> {
  const { promise: interrupted, resolve } = Promise.withResolvers<keyof typeof exitCodes>();
  // once: whoever is not patient gets the system's own way
  for (const signal of signals) process.once(signal, resolve);
  try {
    // how it ends after an interruption is no news; the race takes care of its rejection
    const first = await Promise.race([work(), interrupted]);
    if (typeof first !== "string") return first;
    return { exitCode: exitCodes[first], outcome: await stop().catch(ignoreFault) };
  } finally {
    for (const signal of signals) process.off(signal, resolve);
  }
}

function ignoreFault(error: unknown): undefined {
  if (!(error instanceof Fault)) throw error;
}
