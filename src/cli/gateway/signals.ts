// Signals and stray errors of the long-lived process.

import type { Log } from "../../base/log.ts";

/** Resolves with the first signal that asks to stop; later ones are only noted. */
export function waitForStop(log: Log): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      process.on(name, () => {
        if (isStopping) log.info(`received ${name} again; still shutting down`);
        else resolve(name);
        isStopping = true;
      });
    }
    process.on("SIGUSR1", () =>
      log.warn("SIGUSR1 ignored: restarting in the process is not supported yet; stop and start instead"),
    );
  });
}

/** A rejection that nobody caught is a bug in one place; it does not take the Gateway with it (R2). */
export function guardProcess(log: Log): void {
  process.on("unhandledRejection", (error) => log.error("a promise was rejected and nobody looked", { error }));
  process.on("uncaughtException", (error) => log.error("an error was thrown and nobody caught it", { error }));
}
