// The health snapshot: made anew when somebody asks (at most once a second) and every minute, shared by all who ask meanwhile,
// and broadcast after each refresh.

import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Service, ServiceState } from "../base/service.ts";
import type { ConfigSource } from "../config/store.ts";
import type { Overview, WorkOverview } from "../conversation/overview.ts";
import { redactText } from "../platform/redact.ts";
import type { Channel } from "../ports/channel.ts";
import type { HealthSnapshot } from "../protocol/contract.ts";
import { renderDisk, type DiskKeeper } from "./disk/keeper.ts";
import { channelHealth, linkOf, probeAll } from "./channel-health.ts";

const maxAgeMs = 60_000;
/** Within this time all who ask share a snapshot: many callers a second must not mean many refreshes. */
const freshMs = 1_000;
const touchDelayMs = 250;
const recentSessions = 5;

/** Without these nothing is answered, whatever else works. */
export const essentialServices: ReadonlySet<string> = new Set(["lane", "delivery"]);

export interface Health extends Service {
  /**
   * A snapshot of the last second, or a new one; with `isProbe` always a new one, after asking the platforms. Never throws:
   * what cannot be read is said in the snapshot.
   */
  get(isProbe: boolean): Promise<HealthSnapshot>;
  /** The last one; undefined until the first is made. */
  last(): HealthSnapshot | undefined;
  /** Rises with every refresh; begins at 1. */
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
  /** Why log lines are lost now; undefined while they are not. */
  readonly logTrouble?: (() => { readonly reason: string; readonly lost: number } | undefined) | undefined;
  /** What is kept on the disk, once that was looked at. */
  readonly disk?: Pick<DiskKeeper, "state" | "problems">;
  /** Why nothing can be stored; undefined while it can. Absent: nobody has tried. */
  readonly storageTrouble?: () => Promise<string | undefined>;
  /** Takes secrets out of what others said. Absent: what looks like one. */
  readonly mask?: ((text: string) => string) | undefined;
  readonly configSource: () => ConfigSource;
  readonly onRefresh: (snapshot: HealthSnapshot) => void;
}

export function createHealth(dependencies: HealthDependencies): Health {
  const { clock, log } = dependencies;
  let cached: { snapshot: HealthSnapshot; madeAt: number } | undefined;
  let version = 1;
  let refreshing: { isProbe: boolean; promise: Promise<HealthSnapshot> } | undefined;
  let timer: Timer | undefined;
  let touchTimer: Timer | undefined;

  const refreshNow = async (isProbe: boolean) => {
    const snapshot = await build(dependencies, isProbe);
    cached = { snapshot, madeAt: clock.monotonic() };
    version += 1;
    dependencies.onRefresh(snapshot);
    return snapshot;
  };
  /** Whoever comes while one is being made gets that one, but for a probe, which waits for one that asks the platforms. */
  const refresh = (isProbe: boolean): Promise<HealthSnapshot> => {
    const current = refreshing;
    if (current && (current.isProbe || !isProbe)) return current.promise;
    const promise = current ? current.promise.then(() => refreshNow(isProbe)) : refreshNow(isProbe);
    const mine = { isProbe, promise };
    refreshing = mine;
    const clear = () => {
      if (refreshing === mine) refreshing = undefined;
    };
    promise.then(clear, clear);
    return promise;
  };
  const refreshQuietly = () => {
    refresh(false).catch((error: unknown) => log.error("cannot refresh health", { error }));
  };
  const beat = () => {
    refreshQuietly();
    timer = clock.after(maxAgeMs, beat);
  };
  const touch = () => {
    touchTimer ??= clock.after(touchDelayMs, () => {
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
      const ageMs = cached ? clock.monotonic() - cached.madeAt : maxAgeMs;
      return isProbe || !cached || ageMs >= freshMs ? refresh(isProbe) : cached.snapshot;
    },
    last: () => cached?.snapshot,
    version: () => version,
    touch,
  };
}

/** For those who may not read: whether it works, and which channels are linked. No sessions, paths or problems (S14). */
export function toBriefHealth(snapshot: HealthSnapshot): HealthSnapshot {
  const { ok, ts, durationMs, channelOrder, channelLabels, heartbeatSeconds, defaultAgentId } = snapshot;
  const channels: Record<string, HealthSnapshot["channels"][string]> = {};
  for (const [id, { configured, linked }] of Object.entries(snapshot.channels)) {
    channels[id] = {
      ...(configured === undefined ? {} : { configured }),
      ...(linked === undefined ? {} : { linked }),
    };
  }
  return { ok, ts, durationMs, channels, channelOrder, channelLabels, heartbeatSeconds, defaultAgentId };
}

async function build(dependencies: HealthDependencies, isProbe: boolean): Promise<HealthSnapshot> {
  const { clock, sessionsPath, mask = redactText } = dependencies;
  const startedAt = clock.monotonic();
  const channels = dependencies.channels();
  const probes = isProbe ? await probeAll(channels, clock) : undefined;
  const agents = dependencies.agents();
  const stored = await readStored(dependencies, agents);
  const services = dependencies.services();
  const heartbeat = { enabled: false, every: "0m", everyMs: null, prompt: "", target: "none", ackMaxChars: 300 };
  const defaultAgentId = agents.find((agent) => agent.isDefault)?.id ?? "main";
  const empty = { path: sessionsPath, count: 0, recent: [] };
  const sessionsOf = (agentId: string) => stored.sessions.get(agentId) ?? empty;
  const link = linkOf(channels);
  const configSource = dependencies.configSource();
  return {
    ok: stored.problem === undefined && !services.some(isBroken) && configSource !== "safe",
    ts: clock.now(),
    durationMs: Math.round(clock.monotonic() - startedAt),
    channels: Object.fromEntries(
      channels.map((channel) => [channel.id, channelHealth(channel, { probes, now: clock.now(), mask })]),
    ),
    channelOrder: channels.map((channel) => channel.id),
    channelLabels: Object.fromEntries(channels.map((channel) => [channel.id, channel.label])),
    heartbeatSeconds: 0,
    defaultAgentId,
    agents: agents.map(({ id, name, isDefault }) => ({
      agentId: id,
      ...(name ? { name } : {}),
      isDefault,
      heartbeat,
      sessions: sessionsOf(id),
    })),
    sessions: sessionsOf(defaultAgentId),
    ...(link ? { linkChannel: link } : {}),
    configSource,
    problems: problemsOf(dependencies, stored).map((problem) => ({ ...problem, message: mask(problem.message) })),
    ...diskOf(dependencies),
    ...(stored.work ? { queue: toQueue(stored.work) } : {}),
  };
}

function problemsOf(dependencies: HealthDependencies, stored: Stored): readonly { message: string; next?: string }[] {
  return [
    ...(stored.problem ? [stored.problem] : []),
    ...dependencies.services().flatMap(toProblem),
    ...dependencies.configProblems(),
    ...toLogProblem(dependencies.logTrouble?.()),
    ...(dependencies.disk?.problems() ?? []),
  ];
}

function diskOf({ disk }: HealthDependencies): Pick<HealthSnapshot, "disk"> {
  const state = disk?.state();
  return state ? { disk: renderDisk(state) } : {};
}

type NamedState = ReturnType<HealthDependencies["services"]>[number];

function isBroken({ name, state }: NamedState): boolean {
  return state.state === "degraded" && essentialServices.has(name);
}

function toProblem({ name, state }: NamedState): { message: string; next?: string }[] {
  if (state.state !== "degraded") return [];
  return [{ message: `${name}: ${state.reason}`, ...(state.next ? { next: state.next } : {}) }];
}

function toLogProblem(trouble: { readonly reason: string; readonly lost: number } | undefined) {
  if (!trouble) return [];
  const message = `the log cannot be written (${trouble.reason}); ${trouble.lost} lines are lost so far`;
  return [{ message, next: "make room on its disk and its folder writable; it goes on by itself" }];
}

function toQueue({ turns, outbox }: WorkOverview) {
  return {
    ...turns,
    outboxPending: outbox.pending + outbox.sending,
    failedSends: outbox.failed,
    unknownSends: outbox.flagged,
  };
}

interface Stored {
  readonly work?: WorkOverview;
  readonly sessions: ReadonlyMap<string, HealthSnapshot["sessions"]>;
  /** The database does not answer, or takes nothing: the Gateway can then accept nothing. */
  readonly problem?: { readonly message: string; readonly next: string };
}

async function readStored(
  { overview, sessionsPath, clock, log, storageTrouble }: HealthDependencies,
  agents: readonly { readonly id: string }[],
): Promise<Stored> {
  try {
    const work = await overview.work();
    const lists = await Promise.all(
      agents.map(async ({ id }) => {
        const { count, recent } = await overview.sessions(id, recentSessions);
        const now = clock.now();
        const rows = recent.map(({ key, updatedAt }) => ({ key, updatedAt, age: Math.max(0, now - updatedAt) }));
        return [id, { path: sessionsPath, count, recent: rows }] as const;
      }),
    );
    const sessions = new Map(lists);
    // what can be read says nothing about a disk that is full
    const trouble = await storageTrouble?.();
    if (trouble === undefined) return { work, sessions };
    const next = `make room on the disk of ${sessionsPath}, or make it writable; it goes on by itself`;
    return { work, sessions, problem: { message: `nothing can be stored: the database ${trouble}`, next } };
  } catch (error) {
    // expected when the disk is full or the file is gone: a health answer that fails with it would tell nobody
    log.error("cannot read the database", { error });
    const message = `the database cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return { sessions: new Map(), problem: { message, next: `check the disk and the file ${sessionsPath}` } };
  }
}
