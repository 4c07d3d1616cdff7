// A Gateway tells the others of this machine that it runs, and its log of what it shares with them (R40).

import type { Log } from "../../base/log.ts";
import { findConflicts } from "../../platform/instance-conflicts.ts";
import { findOwnClashes, renderClash } from "../../platform/port-plan.ts";
import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";
import { describeInstance, openMachine } from "../machine.ts";

export interface RegistrationOptions {
  readonly config: Config;
  /** It listens there. */
  readonly port: number;
  readonly log: Log;
}

/** Never throws: a Gateway that others do not see works all the same. @returns what ends it. */
export async function registerInstance(
  context: Context,
  { config, port, log }: RegistrationOptions,
): Promise<() => Promise<void>> {
  const { instances } = openMachine(context);
  const own = describeInstance(context, config, port);
  // one with our state folder cannot live: the lock is ours
  const others = (await instances.list()).filter(({ state }) => state !== own.state);
  for (const clash of findOwnClashes(own.ports))
    log.warn(
      `two parts of this Gateway have one port: ${renderClash(clash)}; change canvasHost.port or browser.controlPort`,
    );
  for (const { message, next } of others.flatMap((other) => findConflicts(own, other, context.brand.envPrefix)))
    log.warn(`${message} (${next})`);
  try {
    return await instances.register(own);
  } catch (error) {
    log.warn("other Gateways and gateway status do not see this one: its file could not be written", { error });
    return async () => undefined;
  }
}
