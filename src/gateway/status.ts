// The short summary: is a channel linked, how much waits, what went wrong today, which sessions are recent.

import type { Clock } from "../base/clock.ts";
import type { ConfigSource } from "../config/store.ts";
import type { Overview } from "../conversation/overview.ts";
import type { SessionRow } from "../conversation/store/sessions.ts";
import { redactText } from "../platform/redact.ts";
import type { Channel } from "../ports/channel.ts";
import type { MethodResult } from "../protocol/contract.ts";
import { linkOf, statusOf } from "./channel-health.ts";
import { renderDisk, type DiskState } from "./disk/keeper.ts";

export interface StatusDependencies {
  readonly clock: Clock;
  readonly channels: () => readonly Channel[];
  readonly overview: Overview;
  readonly sessionsPath: string;
  readonly agentIds: () => readonly string[];
  readonly defaultAgentId: () => string;
  /** Model that answers by default, as `provider/model`. */
  readonly defaultModel: () => string;
  readonly version: string;
  readonly disk: () => DiskState | undefined;
  readonly configSource: () => ConfigSource;
  readonly configProblems: () => { message: string; next: string }[];
  /** What waits for the next turn of the main session. */
  readonly systemEvents: () => Promise<readonly string[]>;
}

const recentLimit = 10;

export async function buildStatus(
  dependencies: StatusDependencies,
  options: { isChannelSummary: boolean },
): Promise<MethodResult<"status">> {
  const { clock, overview } = dependencies;
  const now = clock.now();
  const [work, agents] = await Promise.all([
    overview.work(),
    Promise.all(
      dependencies.agentIds().map(async (agentId) => ({ agentId, ...(await overview.sessions(agentId, recentLimit)) })),
    ),
  ]);
  const link = linkOf(dependencies.channels());
  const disk = dependencies.disk();
  const recent = agents
    .flatMap((agent) => agent.recent)
    .toSorted((a, b) => b.updatedAt - a.updatedAt)
    .slice(0, recentLimit);
  return {
    runtimeVersion: dependencies.version,
    ...(link ? { linkChannel: link } : {}),
    heartbeat: {
      defaultAgentId: dependencies.defaultAgentId(),
      agents: dependencies.agentIds().map((agentId) => ({ agentId, enabled: false, every: "0m", everyMs: null })),
    },
    channelSummary: options.isChannelSummary ? dependencies.channels().flatMap(channelLines) : [],
    queuedSystemEvents: await dependencies.systemEvents(),
    sessions: {
      paths: [dependencies.sessionsPath],
      count: agents.reduce((sum, agent) => sum + agent.count, 0),
      defaults: { model: dependencies.defaultModel(), contextTokens: null },
      recent: recent.map((session) => toSummary(session, now)),
      byAgent: agents.map((agent) => ({
        agentId: agent.agentId,
        path: dependencies.sessionsPath,
        count: agent.count,
        recent: agent.recent.map((session) => toSummary(session, now)),
      })),
    },
    queue: {
      queued: work.turns.queued,
      running: work.turns.running,
      outboxPending: work.outbox.pending + work.outbox.sending,
    },
    errors: {
      failedTurns: work.turns.failed,
      failedSends: work.outbox.failed,
      unknownSends: work.outbox.flagged,
      dropped: work.dropped,
    },
    ...(disk ? { disk: renderDisk(disk) } : {}),
    configSource: dependencies.configSource(),
    configProblems: dependencies.configProblems(),
  };
}

function channelLines(channel: Channel): string[] {
  const accounts = statusOf(channel);
  return accounts.map((account) => {
    // one account is the channel
    const label = accounts.length > 1 ? `${channel.label} ${account.accountId}` : channel.label;
    const who = account.identity?.username ? ` (@${account.identity.username})` : "";
    const reason = account.problem && redactText(account.problem.reason);
    if (!account.isConfigured) return `${label}: not configured${reason ? ` (${reason})` : ""}`;
    if (reason) return `${label}: ${reason}`;
    return `${label}: ${account.isConnected ? "connected" : "connecting"}${who}`;
  });
}

function toSummary(session: SessionRow, now: number) {
  return {
    agentId: session.agentId,
    key: session.key,
    kind: session.key === "global" ? "global" : session.chatKind,
    sessionId: session.sessionId,
    updatedAt: session.updatedAt,
    age: now - session.updatedAt,
    inputTokens: session.inputTokens,
    outputTokens: session.outputTokens,
    totalTokens: session.totalTokens,
    remainingTokens: null,
    percentUsed: null,
    model: session.model ?? null,
    contextTokens: session.contextTokens,
    ...(session.isLastAborted ? { abortedLastRun: true } : {}),
    flags: [],
  };
}
