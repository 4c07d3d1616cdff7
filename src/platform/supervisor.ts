// Runs services: starts them in order, starts a failed one again later, stops them in reverse. The process never dies of a
// service (R2, R6).

import { backoffMs, type BackoffPolicy } from "../base/backoff.ts";
import { sleep, type Clock, type Timer } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { Service, ServiceState } from "../base/service.ts";

const policy: BackoffPolicy = { initialMs: 1_000, maxMs: 60_000, factor: 2, jitter: 0.2 };

/** After the deadline, for a service to notice that it has passed: one that hangs must not take it from those after it. */
const graceMs = 250;

export interface Supervisor {
  /** One after the other. A service that fails to start is degraded and tried again later; the others go on. */
  start(services: readonly Service[]): Promise<void>;
  /** Stops the service and starts it, as if it were new. Does nothing for one that is not known, or when all are stopping. */
  restart(name: string, deadline: AbortSignal): Promise<void>;
  /** Stops the service and forgets it. Does nothing for one that is not known. */
  remove(name: string, deadline: AbortSignal): Promise<void>;
  /** In reverse order; a service that does not stop in time is left behind. Never throws. */
  stop(deadline: AbortSignal): Promise<void>;
  states(): { readonly name: string; readonly state: ServiceState }[];
}

interface Entry {
  readonly service: Service;
  state: ServiceState;
  failures: number;
  retry: Timer | undefined;
}

export function createSupervisor(dependencies: { clock: Clock; log: Log }): Supervisor {
  const { clock, log } = dependencies;
  let entries: Entry[] = [];
  let isStopping = false;

  /** It is to stop, or was taken away. */
  const isUnwanted = (entry: Entry) => isStopping || !entries.includes(entry);

  const startOne = async (entry: Entry) => {
    if (isUnwanted(entry)) return;
    entry.state = { state: "starting" };
    try {
      await entry.service.start();
      entry.failures = 0;
      // it was stopped before it had started: what it has opened since is closed again
      if (isUnwanted(entry)) await stopOne(entry, AbortSignal.abort());
      else entry.state = { state: "running" };
    } catch (error) {
      if (isUnwanted(entry)) return;
      entry.failures += 1;
      const delayMs = backoffMs(policy, entry.failures);
      const reason = error instanceof Error ? error.message : String(error);
      entry.state = { state: "degraded", reason, next: `it is started again in ${Math.round(delayMs / 1000)} s` };
      log.error(`${entry.service.name} failed to start`, { error, retryMs: delayMs });
      entry.retry = clock.after(delayMs, () => void startOne(entry));
    }
  };

  const tooLate = async (deadline: AbortSignal): Promise<never> => {
    await new Promise<void>((resolve) => {
      if (deadline.aborted) resolve();
      else deadline.addEventListener("abort", () => resolve(), { once: true });
    });
    await sleep(clock, graceMs);
    throw new Fault("timeout", "it did not stop in time and is left behind");
  };
  const stopOne = async (entry: Entry, deadline: AbortSignal) => {
    entry.retry?.cancel();
    try {
      await Promise.race([entry.service.stop(deadline), tooLate(deadline)]);
    } catch (error) {
      log.error(`${entry.service.name} failed to stop`, { error });
    }
    entry.state = { state: "stopped" };
  };

  return {
    async start(services) {
      const added = services.map((service): Entry => ({
        service,
        state: { state: "stopped" },
        failures: 0,
        retry: undefined,
      }));
      entries = [...entries, ...added];
      for (const entry of added) await startOne(entry);
    },
    async restart(name, deadline) {
      const entry = entries.find(({ service }) => service.name === name);
      if (!entry || isStopping) return;
      await stopOne(entry, deadline);
      entry.failures = 0;
      await startOne(entry);
    },
    async remove(name, deadline) {
      const entry = entries.find(({ service }) => service.name === name);
      if (!entry || isStopping) return;
      entries = entries.filter((other) => other !== entry);
      await stopOne(entry, deadline);
    },
    async stop(deadline) {
      isStopping = true;
      for (const entry of entries.toReversed()) await stopOne(entry, deadline);
    },
    states: () =>
      entries.map(({ service, state }) => ({
        name: service.name,
        state: state.state === "running" ? healthOf(service) : state,
      })),
  };
}

/** The list must not break because one service cannot tell how it is. */
function healthOf(service: Service): ServiceState {
  try {
    return service.health?.() ?? { state: "running" };
  } catch (error) {
    return { state: "degraded", reason: error instanceof Error ? error.message : String(error) };
  }
}
