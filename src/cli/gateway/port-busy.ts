// Listening for `gateway run`: when the port is taken, who has it and what to type next.

import { networkInterfaces } from "node:os";

import { Fault } from "../../base/fault.ts";
import { openListener, type Listener, type ListenOptions } from "../../platform/listen.ts";
import type { Context } from "../context.ts";
import { findOwners, listHints, renderComeback, renderOwner, type PortOwner } from "./port-owners.ts";

export interface GatewayListenOptions extends ListenOptions {
  /** Whoever listened there has been ended. */
  readonly isForced: boolean;
}

/** @throws Fault `port_busy` that names process, command and user where the system tells. */
export async function openGatewayListener(context: Context, options: GatewayListenOptions): Promise<Listener> {
  try {
    const listener = await openListener(options);
    if (options.host === "127.0.0.1" && listener.servers.length === 1 && hasIpv6Loopback())
      await tellNeighbour(context, options, listener.port);
    return listener;
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "port_busy") throw error;
    throw await explainBusyPort(context, options, error);
  }
}

const hasIpv6Loopback = () =>
  Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));

/** Who says "localhost" may reach this one instead of us. */
async function tellNeighbour(context: Context, { log }: ListenOptions, port: number): Promise<void> {
  const owners = await findPortOwners(context, port);
  const neighbour = owners.find(({ listener }) => listener.pid !== process.pid);
  if (neighbour)
    log.warn(
      `${renderOwner(neighbour)} listens on ${neighbour.addresses.join(", ")}: who says localhost may reach it instead of this Gateway`,
    );
}

async function findPortOwners(context: Context, port: number): Promise<PortOwner[]> {
  const { openMachine } = await import("../machine.ts");
  const machine = openMachine(context);
  const [usage, instances] = await Promise.all([machine.usage(port), machine.instances.list()]);
  return findOwners(usage.listeners, instances);
}

async function explainBusyPort(
  context: Context,
  { port, isForced }: GatewayListenOptions,
  cause: Fault,
): Promise<Fault> {
  const owners = await findPortOwners(context, port);
  if (owners.length === 0) return cause;
  const { command, paths } = context;
  // one that is hidden from this user was there all the time
  const isBack = isForced && owners.every(({ listener: { pid } }) => pid !== undefined);
  const hints = isBack ? [renderComeback(command)] : listHints(owners, { command, state: paths.state });
  const state = isBack ? "in use again after --force" : "in use";
  return new Fault("port_busy", `port ${port} is ${state} by ${owners.map(renderOwner).join(" and ")}`, {
    cause,
    next: hints.join("; "),
    details: { port, pids: owners.flatMap(({ listener: { pid } }) => pid ?? []) },
  });
}
