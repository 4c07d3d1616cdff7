// Listening for `gateway run`: when the port is taken, who has it and what to type next.

import { Fault } from "../../base/fault.ts";
import { openListener, type Listener, type ListenOptions } from "../../platform/listen.ts";
import type { Context } from "../context.ts";

export interface GatewayListenOptions extends ListenOptions {
  /** Whoever listened there has been ended. */
  readonly isForced: boolean;
}

/** @throws Fault `port_busy` that names process, command and user where the system tells. */
export async function openGatewayListener(context: Context, options: GatewayListenOptions): Promise<Listener> {
  try {
    return await openListener(options);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "port_busy") throw error;
    throw await explainBusyPort(context, options, error);
  }
}

async function explainBusyPort(
  context: Context,
  { port, isForced }: GatewayListenOptions,
  cause: Fault,
): Promise<Fault> {
  const [{ openMachine }, { findOwners, listHints, renderComeback, renderOwner }] = await Promise.all([
    import("../machine.ts"),
    import("./port-owners.ts"),
  ]);
  const machine = openMachine(context);
  const [usage, instances] = await Promise.all([machine.usage(port), machine.instances.list()]);
  const owners = findOwners(usage.listeners, instances);
  if (owners.length === 0) return cause;
  const { command, paths } = context;
  const hints = isForced ? [renderComeback(command)] : listHints(owners, { command, state: paths.state });
  const state = isForced ? "in use again after --force" : "in use";
  return new Fault("port_busy", `port ${port} is ${state} by ${owners.map(renderOwner).join(" and ")}`, {
    cause,
    next: hints.join("; "),
    details: { port, pids: owners.flatMap(({ listener: { pid } }) => pid ?? []) },
  });
}
