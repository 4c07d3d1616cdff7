// What ends one life of the Gateway, and how: a signal, a restart, or an error that the process does not survive.

import { toFault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { Gateway } from "../../gateway/compose.ts";
import type { Restart } from "./restart.ts";
import type { ProcessSignals } from "./signals.ts";
import type { LifeTimeline } from "./timeline.ts";

/** Time in which clients may expect the Gateway back after a restart. */
const restartExpectedMs = 2_000;

export interface Ending {
  readonly gateway: Pick<Gateway, "stop">;
  readonly restart: Restart;
  readonly signals: ProcessSignals;
  readonly log: Log;
  readonly timeline: Pick<LifeTimeline, "stopping" | "stopped">;
}

/** Waits for it, and stops the Gateway in order. @returns true when the next life is to begin. @throws the error. */
export async function untilEnd({ gateway, restart, signals, log, timeline }: Ending): Promise<boolean> {
  const { hurry } = signals;
  try {
    const reason = await Promise.race([signals.stopped.then(() => undefined), restart.due, signals.broken]);
    restart.cancel();
    if (reason === undefined) {
      const signal = await signals.stopped;
      log.info(`received ${signal}; shutting down`);
      timeline.stopping(signal);
      await gateway.stop({ reason: "gateway stopping" }, { hurry });
      timeline.stopped();
      log.info("stopped");
      return false;
    }
    log.info(`restarting: ${reason}`);
    timeline.stopping(`restart: ${reason}`);
    await gateway.stop({ reason: "gateway restarting", restartExpectedMs }, { hurry });
    timeline.stopped();
    // a signal to stop that came meanwhile
    return !signals.isStopped();
  } catch (error) {
    restart.cancel();
    log.error(toFault(error).message, { error });
    timeline.stopping("error");
    await gateway.stop({ reason: "gateway stopping" }, { hurry: AbortSignal.abort() });
    throw error;
  }
}
