// Signals and stray errors of the long-lived process. Watched once, however often the Gateway in it starts anew.

import { Fault } from "../../base/fault.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { judgeStray } from "./stray.ts";

/** The life that runs now: what it logs to, and whether a signal may restart it. */
interface Life {
  readonly log: Log;
  readonly mayRestart: () => boolean;
  readonly restart: () => void;
}

export interface ProcessSignals {
  /** The first signal that asks to stop. */
  readonly stopped: Promise<NodeJS.Signals>;
  readonly isStopped: () => boolean;
  /** Aborts at the second one: whoever sends it does not want to wait. */
  readonly hurry: AbortSignal;
  /** Rejects, with what to do, once the process cannot go on; it then has some seconds left. */
  readonly broken: Promise<never>;
  /** Signals and stray errors go to this one from now on. */
  lead(life: Life): void;
  /** All is closed: the process has a moment to end by itself. */
  done(): void;
}

export interface SignalDependencies {
  readonly clock: Clock;
  readonly onBreakdown: () => void;
  /** It did not end: a call of the system that never comes back holds a process even at its exit. */
  readonly onStuck: () => void;
}

/** Signals with shorter pauses between them ask for the same restart: `pgrep` finds wrappers that hand them on, people press twice. */
const burstPauseMs = 100;

/** A process that is broken may not get to its end in order. */
const breakdownMs = 8_000;

/** From a signal to the end: longer than all budgets of a stop, and below the stop timeout of a service. */
const stopLimitMs = 25_000;
/** The same once nothing is waited for, and once all is closed. */
const hurryLimitMs = 8_000;
const doneLimitMs = 2_000;

export function watchSignals({ clock, onBreakdown, onStuck }: SignalDependencies): ProcessSignals {
  let life: Life | undefined;

  let isBroken = false;
  let breakDown: (fault: Fault) => void = () => {};
  const broken = new Promise<never>((_resolve, reject) => {
    breakDown = reject;
  });
  // nobody may be waiting yet, or any more
  broken.catch(() => undefined);
  const watchStray = (how: "thrown" | "rejected") => (error: unknown) => {
    const verdict = judgeStray(error, how);
    if (verdict === "pass") return;
    if (verdict === "network") life?.log.warn("a connection broke and nobody looked", { error });
    else life?.log.error(`an error was ${how} and nobody caught it`, { error });
    if (verdict !== "fatal" || isBroken) return;
    isBroken = true;
    const reason = error instanceof Error ? error.message : String(error);
    const next = "start it again; what it had accepted is kept, and the log says where it broke";
    breakDown(new Fault("internal", `an error that nobody caught: ${reason}`, { cause: error, next }));
    clock.after(breakdownMs, onBreakdown);
  };
  process.on("unhandledRejection", watchStray("rejected"));
  process.on("uncaughtException", watchStray("thrown"));

  let lastAskedAt = -burstPauseMs;
  let wasAllowed = false;
  for (const name of ["SIGUSR1", "SIGUSR2"] as const) {
    process.on(name, () => {
      const isAllowed = life?.mayRestart() === true;
      // one that was refused is not the same as one that is allowed by now
      const isSame = isAllowed === wasAllowed && clock.monotonic() - lastAskedAt < burstPauseMs;
      lastAskedAt = clock.monotonic();
      wasAllowed = isAllowed;
      if (isSame) return;
      if (isAllowed) life?.restart();
      else life?.log.warn(`${name} ignored: set commands.restart to true to let it restart the Gateway`);
    });
  }

  // none of these timers holds the process
  const limit = (afterMs: number) => {
    clock.after(afterMs, () => {
      life?.log.error("a call of the system does not come back, of a file system mostly: the process is killed");
      onStuck();
    });
  };
  const hurry = new AbortController();
  let first: NodeJS.Signals | undefined;
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      process.on(name, () => {
        if (first === undefined) {
          first = name;
          limit(stopLimitMs);
          resolve(name);
        } else if (!hurry.signal.aborted) {
          life?.log.warn(`received ${name} again: turns under way are not waited for, they go on at the next start`);
          limit(hurryLimitMs);
          hurry.abort();
        } else life?.log.info(`received ${name} once more; still closing what is open`);
      });
    }
  });
  return {
    stopped,
    isStopped: () => first !== undefined,
    hurry: hurry.signal,
    broken,
    lead(next) {
      life = next;
    },
    done: () => limit(doneLimitMs),
  };
}

/** What a signal from outside would do, when nothing gentler is left. */
export const killItself = () => void process.kill(process.pid, "SIGKILL");
