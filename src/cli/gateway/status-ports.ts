// The part of `gateway status` about ports: who listens where the Gateway should, which ports follow from it, and which other
// Gateways run on this machine.

import { findConflicts, renderInstance, type InstanceConflict } from "../../platform/instance-conflicts.ts";
import type { Instance } from "../../platform/instances.ts";
import type { PortListener, PortUsage } from "../../platform/port-listeners.ts";
import { listPortUses, type PortPlan } from "../../platform/port-plan.ts";
import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";
import { describeInstance, openMachine } from "../machine.ts";
import { cleanText } from "../render/text.ts";
import { findOwners, listHints, renderOwner, type PortOwner } from "./port-owners.ts";

export interface PortReport {
  readonly port: number;
  readonly status: PortUsage["status"];
  readonly listeners: readonly (PortListener & Pick<PortOwner, "kind">)[];
  readonly hints: readonly string[];
}

export interface InstanceReport extends Instance {
  /** What it shares with the Gateway that this command looks at. */
  readonly conflicts: readonly InstanceConflict[];
}

export interface PortsReport {
  /** Of the Gateway that is probed; absent when that is on another machine. */
  readonly port?: PortReport;
  /** Where this command alone would look, when that differs. */
  readonly portCli?: PortReport;
  /** Absent like `port`. */
  readonly derivedPorts?: Omit<PortPlan, "gateway">;
  /** Other Gateways that run on this machine. */
  readonly instances: readonly InstanceReport[];
}

/** Whose ports are looked at: the service's side where there is one, else this command's. */
export interface Looking {
  readonly context: Context;
  readonly config: Config;
  readonly port: number | undefined;
  readonly cliPort: number | undefined;
}

export async function inspectPorts({ context, config, port, cliPort }: Looking): Promise<PortsReport> {
  const machine = openMachine(context);
  const known = await machine.instances.list();
  const running = known.find(({ state }) => state === context.paths.state);
  const look = async (number: number): Promise<PortReport> => {
    const usage = await machine.usage(number);
    const owners = findOwners(usage.listeners, known);
    const kindOf = (listener: PortListener) => owners.find((owner) => owner.listener.pid === listener.pid)?.kind;
    const hints = listHints(owners, { command: context.command, state: context.paths.state });
    return {
      ...usage,
      listeners: usage.listeners.map((listener) => ({ ...listener, kind: kindOf(listener) ?? "foreign" })),
      hints: [...describeElsewhere(running, number), ...hints],
    };
  };
  const own = port === undefined || port === 0 ? undefined : describeInstance(context, config, port);
  const others = known.filter(({ state }) => state !== context.paths.state);
  const report = {
    instances: others.map((other) => ({
      ...other,
      conflicts: own ? findConflicts(own, other, context.brand.envPrefix) : [],
    })),
  };
  if (own === undefined) return report;
  const { gateway, ...derivedPorts } = own.ports;
  const [ports, portCli] = await Promise.all([
    look(gateway),
    cliPort === undefined || cliPort === gateway || cliPort === 0 ? undefined : look(cliPort),
  ]);
  return { port: ports, ...(portCli ? { portCli } : {}), derivedPorts, ...report };
}

/** The one that is asked about runs, and not where it is looked for: a variable or the service says otherwise. */
function describeElsewhere(running: Instance | undefined, port: number): string[] {
  if (running === undefined || running.ports.gateway === port) return [];
  return [
    `the Gateway of this state folder listens on port ${running.ports.gateway} (pid ${running.pid}), not on ${port}`,
  ];
}

/** The lines about the ports; hints only where the one who should answer does not. */
export function renderPorts({ out }: Context, report: PortsReport, isAnswered: boolean | undefined): void {
  const { port, portCli, derivedPorts } = report;
  if (port) renderListening(out.line, port);
  if (port && isAnswered !== true) for (const hint of port.hints) out.line(`  ${hint}`);
  if (portCli) {
    out.line(`This command alone would look at port ${portCli.port}:`);
    renderListening(out.line, portCli);
  }
  if (derivedPorts && port) {
    const uses = listPortUses({ gateway: port.port, ...derivedPorts }).slice(1);
    const text = uses.map(({ name, first, last }) => `${name} ${first === last ? first : `${first}-${last}`}`);
    out.line(`Derived ports: ${text.join(", ") || "none"}`);
  }
}

function renderListening(line: (text: string) => void, { port, status, listeners }: PortReport): void {
  if (status !== "busy") {
    line(
      `Listening: ${status === "free" ? `nothing on port ${port}` : `unknown, this machine does not tell (port ${port})`}`,
    );
    return;
  }
  line(`Listening: ${[...new Set(listeners.map(({ address }) => address))].join(", ")}`);
  for (const owner of findOwners(listeners, []))
    line(`  ${owner.kind === "gateway" ? "Gateway" : "no Gateway"}: ${renderOwner(owner)}`);
}

export function renderInstances({ out }: Context, { instances }: PortsReport): void {
  if (instances.length === 0) return;
  out.line();
  out.line("Other Gateways on this machine:");
  for (const instance of instances) {
    const { brand, version, config, isService, conflicts } = instance;
    const kind = isService ? "a service" : "in the foreground";
    out.line(`  ${cleanText(renderInstance(instance))}: ${cleanText(brand)} ${cleanText(version)}, ${kind}`);
    out.line(`    config ${cleanText(config)}`);
    for (const { message, next } of conflicts)
      out.line(out.style("yellow", `    ${cleanText(message)} (${cleanText(next)})`));
  }
}
