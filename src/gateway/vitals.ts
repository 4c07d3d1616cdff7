// The pulse of a running Gateway: how late its event loop is, what it holds, how its channels are. A line a minute, and one whenever a
// channel changes; nothing of it is kept in memory.

import type { Clock, Timer } from "../base/clock.ts";
import { isRecord } from "../base/json.ts";
import type { Service } from "../base/service.ts";
import { redactText } from "../platform/redact.ts";
import type { Channel, ChannelAccountStatus } from "../ports/channel.ts";
import type { ChannelMinute, Minute, Timeline, TimelineEntries } from "../ports/timeline.ts";
import { statusOf } from "./channel-health.ts";

/** A block of a second is always seen, a shorter one as often as it is long. */
const probeMs = 1_000;
const minuteMs = 60_000;
/** What a start costs shows before a minute has passed. */
const firstMs = 10_000;
/** Clocks are corrected by less than that all the time. */
const leastJumpMs = 5_000;
const maxAccounts = 20;

export interface VitalsDependencies {
  readonly clock: Clock;
  readonly timeline: Timeline;
  readonly channels: () => readonly Channel[];
  readonly clients: () => number;
  /** Of the last health snapshot. */
  readonly queue: () => object | undefined;
  readonly lostLogLines: () => number;
  /** Takes secrets out of what others said. Absent: what looks like one. */
  readonly mask?: ((text: string) => string) | undefined;
}

export interface Vitals extends Service {
  /** Looks whether a channel has changed. */
  look(): void;
}

export function createVitals(dependencies: VitalsDependencies): Vitals {
  const { clock, timeline } = dependencies;
  const channels = createChannelWatch(dependencies);
  let delays: number[] = [];
  let timer: Timer | undefined;
  let dueAt = 0;
  let since = readMarks(clock);
  let nextAt = 0;

  const tell = () => {
    const marks = readMarks(clock);
    timeline.note("minute", toMinute(dependencies, { delays, since, marks }));
    delays = [];
    since = marks;
  };
  const beat = () => {
    const now = clock.monotonic();
    delays.push(Math.max(0, now - dueAt));
    if (now >= nextAt) {
      tell();
      nextAt = now + minuteMs;
    }
    dueAt = now + probeMs;
    timer = clock.after(probeMs, beat);
  };
  return {
    name: "vitals",
    async start() {
      since = readMarks(clock);
      dueAt = clock.monotonic() + probeMs;
      nextAt = clock.monotonic() + firstMs;
      timer = clock.after(probeMs, beat);
      channels.look();
    },
    async stop() {
      timer?.cancel();
      channels.look();
      tell();
    },
    look: channels.look,
  };
}

/** What only its growth says something. */
interface Marks {
  readonly monotonic: number;
  readonly now: number;
  readonly cpu: NodeJS.CpuUsage;
  readonly loop: ReturnType<typeof performance.eventLoopUtilization>;
}

const readMarks = (clock: Clock): Marks => ({
  monotonic: clock.monotonic(),
  now: clock.now(),
  cpu: process.cpuUsage(),
  loop: performance.eventLoopUtilization(),
});

interface Measured {
  readonly delays: readonly number[];
  readonly since: Marks;
  readonly marks: Marks;
}

function toMinute(dependencies: VitalsDependencies, { delays, since, marks }: Measured): Minute {
  const { channels, clients, queue, lostLogLines } = dependencies;
  const memory = process.memoryUsage();
  const spanMs = Math.round(marks.monotonic - since.monotonic);
  const jumpMs = Math.round(marks.now - since.now - spanMs);
  const lost = lostLogLines();
  const open = toQueue(queue());
  return {
    uptimeMs: Math.round(process.uptime() * 1000),
    spanMs,
    lag: toLag(delays),
    busy: Number(performance.eventLoopUtilization(marks.loop, since.loop).utilization.toFixed(3)),
    cpuMs: Math.round((marks.cpu.user + marks.cpu.system - since.cpu.user - since.cpu.system) / 1000),
    rss: memory.rss,
    heapUsed: memory.heapUsed,
    external: memory.external,
    sockets: process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP")).length,
    clients: clients(),
    ...(open ? { queue: open } : {}),
    ...(lost > 0 ? { lostLogLines: lost } : {}),
    ...(Math.abs(jumpMs) >= leastJumpMs ? { jumpMs } : {}),
    channels: channels()
      .flatMap((channel) => statusOf(channel).map((status) => toChannelMinute(channel.id, status, marks.now)))
      .slice(0, maxAccounts),
  };
}

function toLag(delays: readonly number[]): Minute["lag"] {
  const sorted = delays.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** The snapshot is open for what is added to it. */
function toQueue(queue: object | undefined): Minute["queue"] {
  if (!isRecord(queue)) return undefined;
  const { queued, running, outboxPending } = queue;
  return { queued: Number(queued ?? 0), running: Number(running ?? 0), outbox: Number(outboxPending ?? 0) };
}

function toChannelMinute(channel: string, status: ChannelAccountStatus, now: number): ChannelMinute {
  const { accountId: account, lastPollAt, lastInboundAt, lastOutboundAt } = status;
  const age = (time: number) => Math.max(0, now - time);
  return {
    channel,
    account,
    isUp: status.isRunning && status.isConnected,
    ...(lastPollAt === undefined ? {} : { pollAge: age(lastPollAt) }),
    ...(lastInboundAt === undefined ? {} : { inboundAge: age(lastInboundAt) }),
    ...(lastOutboundAt === undefined ? {} : { outboundAge: age(lastOutboundAt) }),
  };
}

type ChannelEntry = TimelineEntries["channel"];
type Seen = Pick<ChannelAccountStatus, "isRunning" | "isConnected"> & { readonly reason: string | undefined };

const asleep: Seen = { isRunning: false, isConnected: false, reason: undefined };
const maxReason = 300;

/** Tells what has changed since it looked last. */
function createChannelWatch({ channels, timeline, mask = redactText }: VitalsDependencies) {
  const known = new Map<string, Seen>();
  const compare = (channel: string, status: ChannelAccountStatus) => {
    const key = `${channel}:${status.accountId}`;
    const before = known.get(key) ?? asleep;
    const { isRunning, isConnected, problem, reconnectAttempts } = status;
    const after: Seen = { isRunning, isConnected, reason: problem?.reason };
    known.set(key, after);
    for (const event of eventsBetween(before, after)) {
      const isTrouble = event === "trouble";
      timeline.note("channel", {
        channel,
        account: status.accountId,
        event,
        ...(isTrouble ? { reason: mask(after.reason ?? "").slice(0, maxReason) } : {}),
        ...(isTrouble && reconnectAttempts !== undefined ? { attempts: reconnectAttempts } : {}),
      });
    }
  };
  return {
    look() {
      for (const channel of channels()) for (const status of statusOf(channel)) compare(channel.id, status);
    },
  };
}

function eventsBetween(before: Seen, after: Seen): ChannelEntry["event"][] {
  const events: ChannelEntry["event"][] = [];
  if (before.isRunning !== after.isRunning) events.push(after.isRunning ? "started" : "stopped");
  if (before.isConnected !== after.isConnected) events.push(after.isConnected ? "connected" : "disconnected");
  if (after.reason !== undefined && after.reason !== before.reason) events.push("trouble");
  if (after.reason === undefined && before.reason !== undefined) events.push("mended");
  return events;
}
