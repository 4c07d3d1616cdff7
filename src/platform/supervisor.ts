// Runs services: starts them in order, starts a failed one again later, stops them in reverse. The process never dies of a
// service (R2, R6).

import { backoffMs, type BackoffPolicy } from "../base/backoff.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Service, ServiceState } from "../base/service.ts";

const policy: BackoffPolicy = { initialMs: 1_000, maxMs: 60_000, factor: 2, jitter: 0.2 };

export interface Supervisor {
  /** One after the other. A service that fails to start is degraded and tried again later; the others go on. */
  start(services: readonly Service[]): Promise<void>;
  /** In reverse order. Never throws. */
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

  const startOne = async (entry: Entry) => {
    if (isStopping) return;
    entry.state = { state: "starting" };
    try {
      await entry.service.start();
      entry.state = { state: "running" };
      entry.failures = 0;
    } catch (error) {
      entry.failures += 1;
      const delayMs = backoffMs(policy, entry.failures);
      const reason = error instanceof Error ? error.message : String(error);
      entry.state = { state: "degraded", reason, next: `it is started again in ${Math.round(delayMs / 1000)} s` };
      log.error(`${entry.service.name} failed to start`, { error, retryMs: delayMs });
      entry.retry = clock.after(delayMs, () => void startOne(entry));
    }
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
    async stop(deadline) {
      isStopping = true;
      for (const entry of entries.toReversed()) {
        entry.retry?.cancel();
        try {
          await entry.service.stop(deadline);
        } catch (error) {
          log.error(`${entry.service.name} failed to stop`, { error });
        }
        entry.state = { state: "stopped" };
      }
    },
    states: () =>
      entries.map(({ service, state }) => ({
        name: service.name,
        state: state.state === "running" ? (service.health?.() ?? state) : state,
      })),
  };
}
