// `gateway --force`: ends whoever listens on the port, first politely, and goes on once it is free. Each end is a log line.

import { codeOf } from "../../base/error-code.ts";
import { Fault } from "../../base/fault.ts";
import { sleep, type Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Instance } from "../../platform/instances.ts";
import { findLsof, type Lsof } from "../../platform/lsof.ts";
import type { PortUsage } from "../../platform/port-listeners.ts";
import type { ProcessTable } from "../../platform/process-table.ts";
import type { Context } from "../context.ts";
import { openMachine } from "../machine.ts";
import { renderComeback, renderCommand } from "./port-owners.ts";

/** How long a process may take to end by itself, and how long all of it may take. */
const politeMs = 700;
const totalMs = 2_000;
const pollMs = 100;

export interface ForceDependencies {
  readonly lsof: Lsof;
  readonly usage: (port: number) => Promise<PortUsage>;
  readonly processes: Pick<ProcessTable, "isAlive" | "describe">;
  readonly instances: readonly Instance[];
  readonly clock: Clock;
  readonly log: Log;
  readonly command: (words: string) => string;
  readonly kill: (pid: number, signal: "SIGTERM" | "SIGKILL") => void;
}

/**
 * Nothing listens on `port` afterwards. 0, any free port, needs nothing.
 * @throws Fault: no lsof, a process of another user, or one that comes back.
 */
export async function forcePort(context: Context, port: number, log: Log): Promise<void> {
  if (port === 0) return;
  const { env, clock, command } = context;
  const machine = openMachine(context);
  const lsof = await findLsof({ env, run: machine.run });
  if (!lsof)
    throw new Fault("not_found", "lsof not found; required for --force", {
      next: `install lsof, or stop the process yourself: ${command("gateway status")} names it`,
    });
  await freePort(port, {
    lsof,
    usage: machine.usage,
    processes: machine.processes,
    instances: await machine.instances.list(),
    clock,
    log,
    command,
    kill: (pid, signal) => void process.kill(pid, signal),
  });
}

export async function freePort(port: number, dependencies: ForceDependencies): Promise<void> {
  const { clock, log } = dependencies;
  const targets = await findTargets(port, dependencies);
  if (targets.size === 0) {
    await checkHidden(port, dependencies);
    log.info(`force: no listeners on port ${port}`);
    return;
  }
  const beganAt = clock.monotonic();
  for (const [pid, command] of targets) {
    await end(pid, { port, command, signal: "SIGTERM" }, dependencies);
    log.info(`force: killed pid ${pid} (${command}) on port ${port}`);
  }
  tellServices(targets, dependencies);

  let left = await waitForEnd(port, targets, { dependencies, deadline: beganAt + politeMs });
  if (left.stubborn.length > 0) {
    log.warn(`force: escalated to SIGKILL while freeing port ${port}`, { pids: left.stubborn });
    for (const pid of left.stubborn)
      await end(pid, { port, command: targets.get(pid) ?? "", signal: "SIGKILL" }, dependencies);
    left = await waitForEnd(port, targets, { dependencies, deadline: beganAt + totalMs });
  }
  log.info(`force: waited ${Math.round(clock.monotonic() - beganAt)}ms for port ${port} to free`);
  if (left.stubborn.length > 0 || left.newcomers.length > 0) throw stillBusy(port, left, dependencies.command);
}

/** By process, with its name; never this one. */
async function findTargets(port: number, { lsof, processes }: ForceDependencies): Promise<Map<number, string>> {
  const targets = new Map<number, string>();
  for (const { pid, command } of await lsof(port)) {
    if (pid === process.pid || targets.has(pid)) continue;
    // lsof knows the name of a thread only
    const facts = await processes.describe(pid);
    targets.set(pid, renderCommand(facts ?? { command }));
  }
  return targets;
}

/** lsof shows a user the processes of that user alone, and the port may be another's. */
async function checkHidden(port: number, { usage }: ForceDependencies): Promise<void> {
  const { listeners } = await usage(port);
  const hidden = listeners.find(({ pid }) => pid === undefined);
  if (hidden) throw notOurs(port, hidden.command, hidden.user);
}

function notOurs(port: number, what: string, user: string | undefined): Fault {
  return new Fault(
    "port_busy",
    `port ${port} is held by ${what}${user === undefined ? "" : ` (user ${user})`}, which this user may not end`,
    {
      next: `stop it as ${user ?? "its owner"}, or start with another --port`,
    },
  );
}

interface Ending {
  readonly port: number;
  readonly command: string;
  readonly signal: "SIGTERM" | "SIGKILL";
}

/** One that is gone already is fine. */
async function end(pid: number, { port, command, signal }: Ending, { kill, processes }: ForceDependencies) {
  try {
    kill(pid, signal);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ESRCH") return;
    if (code !== "EPERM") throw error;
    throw notOurs(port, `pid ${pid} (${command})`, (await processes.describe(pid))?.user);
  }
}

/** What a supervisor keeps comes back after a few seconds, and finds the port taken, again and again. */
function tellServices(targets: ReadonlyMap<number, string>, { instances, log, command }: ForceDependencies): void {
  for (const { pid, isService } of instances) {
    if (isService && targets.has(pid))
      log.warn(
        `force: pid ${pid} is a service, which its supervisor starts again; ${command("gateway stop")} stops it for good`,
      );
  }
}

interface Left {
  /** Of those that were told to end. */
  readonly stubborn: readonly number[];
  /** Listen now and were not there before. */
  readonly newcomers: readonly number[];
}

/** A Gateway holds its state folder until it has ended, so it counts until then; a stranger until its port is free. */
async function waitForEnd(
  port: number,
  targets: ReadonlyMap<number, string>,
  { dependencies, deadline }: { dependencies: ForceDependencies; deadline: number },
): Promise<Left> {
  const { clock, processes, instances } = dependencies;
  for (;;) {
    const listening = await findTargets(port, dependencies);
    const stubborn: number[] = [];
    for (const pid of targets.keys()) {
      const isGateway = instances.some((instance) => instance.pid === pid);
      if (listening.has(pid) || (isGateway && (await processes.isAlive(pid)))) stubborn.push(pid);
    }
    const newcomers = [...listening.keys()].filter((pid) => !targets.has(pid));
    if (stubborn.length + newcomers.length === 0 || clock.monotonic() >= deadline) return { stubborn, newcomers };
    await sleep(clock, pollMs);
  }
}

function stillBusy(port: number, { stubborn, newcomers }: Left, command: (words: string) => string): Fault {
  const pids = [...stubborn, ...newcomers].join(", ");
  return new Fault("port_busy", `port ${port} still has listeners after --force: ${pids}`, {
    next:
      newcomers.length > 0
        ? renderComeback(command)
        : "look at these processes: they end neither by SIGTERM nor by SIGKILL",
  });
}
