// The health snapshot: made anew at most every minute unless somebody asks for a probe, shared by all who ask meanwhile, and
// broadcast after each refresh. Channels tell of themselves what they last saw (R35).

import type { Clock, Timer } from "../base/clock.ts";
import { createDeadline } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import type { Service, ServiceState } from "../base/service.ts";
import type { Overview } from "../conversation/overview.ts";
import type { Channel, ChannelAccountStatus, ChannelProbe } from "../ports/channel.ts";
import type { HealthSnapshot } from "../protocol/contract.ts";

const maxAgeMs = 60_000;
const probeTimeoutMs = 5_000;

export interface Health extends Service {
  /** A cached snapshot younger than a minute at once (a refresh follows); older, or with `isProbe`, after a refresh. */
  get(isProbe: boolean): Promise<HealthSnapshot>;
  /** The last one; undefined until the first is made. */
  last(): HealthSnapshot | undefined;
  version(): number;
  /** Something changed that clients should see soon. */
  touch(): void;
}

export interface HealthDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly channels: () => readonly Channel[];
  readonly overview: Overview;
  readonly sessionsPath: string;
  readonly agents: () => readonly { readonly id: string; readonly name?: string; readonly isDefault: boolean }[];
  readonly services: () => readonly { readonly name: string; readonly state: ServiceState }[];
  readonly configProblems: () => readonly { readonly message: string; readonly next: string }[];
  readonly onRefresh: (snapshot: HealthSnapshot) => void;
}

export function createHealth(dependencies: HealthDependencies): Health {
  const { clock, log } = dependencies;
  let cached: HealthSnapshot | undefined;
  let version = 1;
  let refreshing: Promise<HealthSnapshot> | undefined;
  let timer: Timer | undefined;
  let touchTimer: Timer | undefined;

  const refresh = (isProbe: boolean): Promise<HealthSnapshot> => {
    refreshing ??= build(dependencies, isProbe)
      .then((snapshot) => {
        cached = snapshot;
        version += 1;
        dependencies.onRefresh(snapshot);
        return snapshot;
      })
      .finally(() => {
        refreshing = undefined;
      });
    return refreshing;
  };
  const refreshQuietly = () => {
    refresh(false).catch((error: unknown) => log.error("cannot refresh health", { error }));
  };
  const beat = () => {
    refreshQuietly();
    timer = clock.after(maxAgeMs, beat);
  };
  const touch = () => {
    touchTimer ??= clock.after(250, () => {
      touchTimer = undefined;
      refreshQuietly();
    });
  };

  return {
    name: "health",
    async start() {
      await refresh(false);
      timer = clock.after(maxAgeMs, beat);
    },
    async stop() {
      timer?.cancel();
      touchTimer?.cancel();
    },
    async get(isProbe) {
      if (isProbe || !cached || clock.now() - cached.ts >= maxAgeMs) return refresh(isProbe);
      // many callers a second must not mean many refreshes a second
      if (clock.now() - cached.ts >= 5_000) touch();
      return cached;
    },
    last: () => cached,
    version: () => version,
    touch,
  };
}

async function build(dependencies: HealthDependencies, isProbe: boolean): Promise<HealthSnapshot> {
  const { clock, overview } = dependencies;
  const startedAt = clock.monotonic();
  const channels = dependencies.channels();
  const probes = isProbe ? await probeAll(channels, clock) : new Map<string, ChannelProbe>();
  const agents = dependencies.agents();
  const defaultAgent = agents.find((agent) => agent.isDefault)?.id ?? "main";
  const work = await overview.work();
  const sessionsOf = async (agentId: string) => {
    const { count, recent } = await overview.sessions(agentId, 5);
    const now = clock.now();
    return {
      path: dependencies.sessionsPath,
      count,
      recent: recent.map((session) => ({
        key: session.key,
        updatedAt: session.updatedAt,
        age: now - session.updatedAt,
      })),
    };
  };
  const problems = [
    ...dependencies.configProblems(),
    ...dependencies
      .services()
      .flatMap(({ name, state }) =>
        state.state === "degraded"
          ? [{ message: `${name}: ${state.reason}`, ...(state.next ? { next: state.next } : {}) }]
          : [],
      ),
  ];
  const link = linkOf(channels);
  const heartbeat = { enabled: false, every: "0m", everyMs: null };
  return {
    ok: true,
    ts: clock.now(),
    durationMs: Math.round(clock.monotonic() - startedAt),
    channels: Object.fromEntries(channels.map((channel) => [channel.id, channelHealth(channel, probes, clock.now())])),
    channelOrder: channels.map((channel) => channel.id),
    channelLabels: Object.fromEntries(channels.map((channel) => [channel.id, channel.label])),
    heartbeatSeconds: 0,
    defaultAgentId: defaultAgent,
    agents: await Promise.all(
      agents.map(async ({ id, name, isDefault }) => ({
        agentId: id,
        ...(name ? { name } : {}),
        isDefault,
        heartbeat,
        sessions: await sessionsOf(id),
      })),
    ),
    sessions: await sessionsOf(defaultAgent),
    ...(link ? { linkChannel: link } : {}),
    problems,
    queue: {
      ...work.turns,
      outboxPending: work.outbox.pending + work.outbox.sending,
      unknownSends: work.outbox.flagged,
    },
  };
}

/** The channel whose link says whether the Gateway can reach people: a linkable one first, else the first configured. */
export function linkOf(channels: readonly Channel[]): HealthSnapshot["linkChannel"] {
  const configured = channels.filter((channel) => channel.status().some((account) => account.isConfigured));
  const main = configured.find((channel) => channel.capabilities.isLinkable) ?? configured[0];
  if (!main) return undefined;
  const account = main.status()[0];
  return {
    id: main.id,
    label: main.label,
    linked: account?.isLinked ?? account?.identity !== undefined,
    authAgeMs: null,
  };
}

function channelHealth(
  channel: Channel,
  probes: ReadonlyMap<string, ChannelProbe>,
  now: number,
): HealthSnapshot["channels"][string] {
  const accounts = channel
    .status()
    .map(
      (account) =>
        [account.accountId, accountHealth(account, probes.get(`${channel.id}:${account.accountId}`), now)] as const,
    );
  const first = accounts[0]?.[1];
  return { ...first, accounts: Object.fromEntries(accounts) };
}

function accountHealth(account: ChannelAccountStatus, probe: ChannelProbe | undefined, now: number) {
  const { problem } = account;
  const age = (time: number | undefined) => (time === undefined ? null : now - time);
  return {
    accountId: account.accountId,
    configured: account.isConfigured,
    linked: account.isLinked ?? account.identity !== undefined,
    running: account.isRunning,
    connected: account.isConnected,
    state: problem ? "degraded" : account.isRunning ? "running" : "stopped",
    ...(problem ? { reason: problem.reason, ...(problem.next ? { next: problem.next } : {}) } : {}),
    ...(account.identity?.username ? { username: account.identity.username } : {}),
    reconnectAttempts: account.reconnectAttempts ?? 0,
    lastPollAgeMs: age(account.lastPollAt),
    lastInboundAgeMs: age(account.lastInboundAt),
    lastOutboundAgeMs: age(account.lastOutboundAt),
    authAgeMs: null,
    ...(probe
      ? {
          probe: { ok: probe.isOk, elapsedMs: probe.elapsedMs, ...(probe.error ? { error: probe.error } : {}) },
          lastProbeAt: now,
        }
      : {}),
  };
}

async function probeAll(channels: readonly Channel[], clock: Clock): Promise<Map<string, ChannelProbe>> {
  const deadline = createDeadline(clock, probeTimeoutMs);
  try {
    const results = await Promise.all(
      channels.flatMap((channel) =>
        channel
          .status()
          .map(
            async (account) =>
              [
                `${channel.id}:${account.accountId}`,
                await channel.probe?.(account.accountId, deadline.signal),
              ] as const,
          ),
      ),
    );
    return new Map(results.flatMap(([key, probe]) => (probe ? [[key, probe] as const] : [])));
  } finally {
    deadline.clear();
  }
}
