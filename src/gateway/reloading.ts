// What a changed config means to this Gateway: which service is started again, whose connections end, what health says of it.

import type { Clock } from "../base/clock.ts";
import { createDeadline } from "../base/deadline.ts";
import { renderWrong, type ConfigProblem } from "../config/explain.ts";
import { createReloader, type Reloader } from "../config/reload.ts";
import type { Supervisor } from "../platform/supervisor.ts";
import { createFileWatch } from "../platform/watch.ts";
import { canvasService } from "./canvas-port.ts";
import type { ChannelServices } from "./channel-services.ts";
import type { Moving } from "./moving.ts";
import type { GatewayOptions } from "./options.ts";
import type { Restarts } from "./restarts/restarts.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";

export interface ReloadingDependencies {
  readonly options: GatewayOptions;
  readonly supervisor: Pick<Supervisor, "restart">;
  readonly channelServices: Pick<ChannelServices, "follow">;
  readonly moving: Pick<Moving, "move">;
  readonly restarts: Pick<Restarts, "ask">;
  /** Ends the connections that the secret before let in. */
  readonly endShared: (reason: string) => void;
  readonly telemetry: Pick<Telemetry, "apply">;
  readonly onProblems: () => void;
}

export interface Reloading extends Omit<Reloader, "problems"> {
  /** Errors of the file, and what of it does not count yet. */
  problems(): { message: string; next: string }[];
}

const safeMode = {
  message: "safe mode: neither the config nor one that was good can be used, so no channel and no agent runs",
  next: "mend the file at the places named, or take a version that works: config history, config rollback",
};

/** The name of what leads a tailnet to the port. */
export const exposureService = "tailscale";

const stopMs = 5_000;
/** For whoever changed the secret to get their answer before their connection ends. */
const endAfterMs = 250;

export function createReloading(dependencies: ReloadingDependencies): Reloading {
  const { options, supervisor, moving, restarts, endShared, telemetry, onProblems } = dependencies;
  const { clock, log, config } = options;
  const reloader = createReloader({
    store: config,
    clock,
    log: log.child("config"),
    watch: (onChange) =>
      createFileWatch({ paths: () => [config.files.path, ...config.snapshot().parts], clock, onChange }),
    async moveListener() {
      if (!(await moving.move())) return false;
      // what leads to the port must lead to the new one
      await within(clock, stopMs, (deadline) => supervisor.restart(exposureService, deadline));
      // it is bound as the Gateway is, beside the Gateway's port
      await within(clock, stopMs, (deadline) => supervisor.restart(canvasService, deadline));
      return true;
    },
    restartChannel: dependencies.channelServices.follow,
    takers: [
      { key: "gateway.auth", take: () => renewSecret(options, endShared) },
      { key: "diagnostics", take: telemetry.apply },
    ],
    ...(options.restart ? { restart: restarts.ask } : {}),
    ...(options.timeline ? { timeline: options.timeline } : {}),
    onProblems,
  });
  return {
    ...reloader,
    problems() {
      const { path, problems, warnings, legacy, source } = config.snapshot();
      const tell = (problem: ConfigProblem) => ({ message: renderWrong(path, problem), next: problem.next });
      const told = [...problems, ...warnings, ...legacy].map(tell);
      return [...(source === "safe" ? [safeMode] : []), ...told, ...reloader.problems()];
    },
  };
}

async function within(clock: Clock, budgetMs: number, task: (deadline: AbortSignal) => Promise<void>): Promise<void> {
  const deadline = createDeadline(clock, budgetMs);
  try {
    await task(deadline.signal);
  } finally {
    deadline.clear();
  }
}

async function renewSecret(
  { secret, renewSecret: renew, clock, log }: GatewayOptions,
  endShared: ReloadingDependencies["endShared"],
): Promise<void> {
  const before = secret();
  await renew?.();
  const now = secret();
  if (before.value === now.value && before.mode === now.mode) return;
  log.info(`the secret is now that of ${now.source}; who came with the one before has to come again`);
  clock.after(endAfterMs, () => endShared("the gateway secret was changed"));
}
