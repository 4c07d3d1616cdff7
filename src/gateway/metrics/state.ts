// What is read when somebody asks: the process, connections, open work, channels.

import { sleep, type Clock } from "../../base/clock.ts";
import type { Overview } from "../../conversation/overview.ts";
import type { Channel } from "../../ports/channel.ts";
import { statusOf } from "../channel-health.ts";
import type { Connection } from "../connection.ts";
import type { DiskState } from "../disk/keeper.ts";
import type { Family, Sample } from "./family.ts";
import type { Metrics } from "./metrics.ts";

export interface StateDependencies {
  readonly clock: Clock;
  readonly version: string;
  readonly overview: Pick<Overview, "work">;
  readonly channels: () => readonly Channel[];
  readonly disk: () => DiskState | undefined;
  readonly connections: () => Iterable<Connection>;
  readonly isDraining: () => boolean;
}

const gauge = (name: string, help: string, ...samples: readonly Sample[]): Family => ({
  name,
  help,
  type: "gauge",
  samples,
});
const count = (name: string, help: string, ...samples: readonly Sample[]): Family => ({
  name,
  help,
  type: "counter",
  samples,
});

/** What is read now, and what was counted. Never throws: a page without what the database knows says more than none. */
export async function readFigures(
  metrics: Pick<Metrics, "families">,
  dependencies: StateDependencies,
): Promise<readonly Family[]> {
  return [...(await readState(dependencies)), ...metrics.families()];
}

async function readState(dependencies: StateDependencies): Promise<readonly Family[]> {
  const { clock, version, isDraining } = dependencies;
  const work = await readWork(dependencies);
  return [
    gauge("gateway_info", "The version that runs.", { labels: { version }, value: 1 }),
    gauge("gateway_draining", "1 while the Gateway stops.", { value: Number(isDraining()) }),
    ...(await readProcess(clock)),
    connectionsByRole(dependencies),
    ...work,
    ...readChannels(dependencies),
    ...readDisk(dependencies),
  ];
}

function readDisk({ disk }: StateDependencies): readonly Family[] {
  const state = disk();
  if (!state) return [];
  const known = (name: string, help: string, value: number | null) =>
    value === null ? [] : [gauge(name, help, { value })];
  return [
    gauge("gateway_disk_used_bytes", "What is kept, workspaces not counted.", { value: state.usedBytes }),
    ...known("gateway_disk_budget_bytes", "Above it the oldest that can be spared goes.", state.budgetBytes),
    ...known("gateway_disk_free_bytes", "Room on the disk of the state folder.", state.freeBytes),
  ];
}

/** A timer of one millisecond is how late the event loop is; watching it all the time would wake an idle process. */
async function readProcess(clock: Clock): Promise<readonly Family[]> {
  const memory = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const { active, idle } = performance.eventLoopUtilization();
  const before = clock.monotonic();
  await sleep(clock, 1);
  const lateMs = Math.max(0, clock.monotonic() - before - 1);
  return [
    gauge("process_start_time_seconds", "When the process began, since the epoch.", {
      value: Math.round(clock.now() / 1000 - process.uptime()),
    }),
    count("process_cpu_seconds_total", "Processor time, user and system.", { value: (user + system) / 1e6 }),
    gauge("process_resident_memory_bytes", "Memory that the process holds.", { value: memory.rss }),
    gauge("nodejs_heap_used_bytes", "JavaScript heap in use.", { value: memory.heapUsed }),
    gauge("nodejs_heap_total_bytes", "JavaScript heap reserved.", { value: memory.heapTotal }),
    gauge("nodejs_external_bytes", "Memory beside the heap, buffers included.", { value: memory.external }),
    count(
      "nodejs_eventloop_seconds_total",
      "Time in which the event loop had something to do, and in which it waited.",
      { labels: { state: "active" }, value: active / 1000 },
      { labels: { state: "idle" }, value: idle / 1000 },
    ),
    gauge("nodejs_eventloop_lag_seconds", "How late a timer was, just now.", { value: lateMs / 1000 }),
  ];
}

function connectionsByRole({ connections }: StateDependencies): Family {
  const roles = { operator: 0, node: 0 };
  for (const { caller } of connections()) roles[caller.role] += 1;
  const samples = Object.entries(roles).map(([role, value]) => ({ labels: { role }, value }));
  return gauge("gateway_connections", "Authenticated WebSocket connections.", ...samples);
}

async function readWork({ overview }: StateDependencies): Promise<readonly Family[]> {
  try {
    const { turns, outbox, dropped } = await overview.work();
    const byState = (states: Readonly<Record<string, number>>): Sample[] =>
      Object.entries(states).map(([state, value]) => ({ labels: { state }, value }));
    return [
      gauge("gateway_database_up", "1 when the database can be read.", { value: 1 }),
      gauge(
        "gateway_turns",
        "Turns that wait and that run.",
        ...byState({ queued: turns.queued, running: turns.running }),
      ),
      gauge("gateway_turns_failed_24h", "Turns that failed within 24 hours.", { value: turns.failed }),
      gauge(
        "gateway_outbox",
        "Messages that wait and that are being sent.",
        ...byState({ pending: outbox.pending, sending: outbox.sending }),
      ),
      gauge(
        "gateway_outbox_24h",
        "Messages of 24 hours that failed, and whose outcome is not known.",
        ...byState({ failed: outbox.failed, unknown: outbox.flagged }),
      ),
      gauge(
        "gateway_messages_dropped_24h",
        "Messages of 24 hours that were not let in, by reason.",
        ...Object.entries(dropped).map(([reason, value]) => ({ labels: { reason }, value })),
      ),
    ];
  } catch {
    // `health` and the log say why
    return [gauge("gateway_database_up", "1 when the database can be read.", { value: 0 })];
  }
}

function readChannels({ channels, clock }: StateDependencies): readonly Family[] {
  const now = clock.now();
  const accounts = channels().flatMap((channel) =>
    statusOf(channel).map((status) => ({ status, labels: { channel: channel.id, account: status.accountId } })),
  );
  const age = (pick: (status: (typeof accounts)[number]["status"]) => number | undefined): Sample[] =>
    accounts.flatMap(({ status, labels }) => {
      const time = pick(status);
      return time === undefined ? [] : [{ labels, value: Math.max(0, now - time) / 1000 }];
    });
  return [
    gauge(
      "gateway_channel_up",
      "1 while the account is connected.",
      ...accounts.map(({ status, labels }) => ({ labels, value: Number(status.isRunning && status.isConnected) })),
    ),
    gauge("gateway_channel_poll_age_seconds", "Since its platform answered.", ...age(({ lastPollAt }) => lastPollAt)),
    gauge("gateway_channel_inbound_age_seconds", "Since a message came.", ...age(({ lastInboundAt }) => lastInboundAt)),
    gauge(
      "gateway_channel_outbound_age_seconds",
      "Since one went out.",
      ...age(({ lastOutboundAt }) => lastOutboundAt),
    ),
  ];
}
