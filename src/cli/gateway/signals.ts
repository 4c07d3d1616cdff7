// Signals and stray errors of the long-lived process. Watched once, however often the Gateway in it starts anew.

import type { Log } from "../../base/log.ts";

/** The life that runs now: what it logs to, and whether a signal may restart it. */
interface Life {
  readonly log: Log;
  readonly mayRestart: () => boolean;
  readonly restart: () => void;
}

export interface ProcessSignals {
  /** The first signal that asks to stop; later ones are only noted. */
  readonly stopped: Promise<NodeJS.Signals>;
  /** Signals and stray errors go to this one from now on. */
  lead(life: Life): void;
}

export function watchSignals(): ProcessSignals {
  let life: Life | undefined;
  // a rejection that nobody caught is a bug in one place; it does not take the Gateway with it (R2)
  process.on("unhandledRejection", (error) => life?.log.error("a promise was rejected and nobody looked", { error }));
  process.on("uncaughtException", (error) => life?.log.error("an error was thrown and nobody caught it", { error }));
  process.on("SIGUSR1", () => {
    if (life?.mayRestart()) life.restart();
    else life?.log.warn("SIGUSR1 ignored: set commands.restart to true to let it restart the Gateway");
  });
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    let isStopping = false;
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      process.on(name, () => {
        if (isStopping) life?.log.info(`received ${name} again; still shutting down`);
        else resolve(name);
        isStopping = true;
      });
    }
  });
  return {
    stopped,
    lead(next) {
      life = next;
    },
  };
}
