// What the health snapshot says of channels: what each account last saw, with ages (R35), and on request what its platform says now.

import { abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { createDeadline } from "../base/deadline.ts";
import { redactText } from "../platform/redact.ts";
import type { Channel, ChannelAccountStatus, ChannelProbe } from "../ports/channel.ts";
import type { HealthSnapshot } from "../protocol/contract.ts";

const probeTimeoutMs = 5_000;

/** By channel and account. */
export type Probes = ReadonlyMap<string, ChannelProbe>;

/** Asks every account of every channel, all at once, for at most that long. Never throws. */
export async function probeAll(
  channels: readonly Channel[],
  clock: Clock,
  timeoutMs = probeTimeoutMs,
): Promise<Probes> {
  const deadline = createDeadline(clock, timeoutMs);
  const probeOne = async (channel: Channel, accountId: string): Promise<[string, ChannelProbe][]> => {
    if (!channel.probe) return [];
    const startedAt = clock.monotonic();
    try {
      const probe = await abortable(channel.probe(accountId, deadline.signal), deadline.signal);
      return [[keyOf(channel.id, accountId), probe]];
    } catch (error) {
      // a platform that hangs is an answer too
      const elapsedMs = Math.round(clock.monotonic() - startedAt);
      const reason = error instanceof Error ? error.message : String(error);
      return [[keyOf(channel.id, accountId), { isOk: false, error: reason, elapsedMs }]];
    }
  };
  try {
    const probes = await Promise.all(
      channels.flatMap((channel) => statusOf(channel).map(({ accountId }) => probeOne(channel, accountId))),
    );
    return new Map(probes.flat());
  } finally {
    deadline.clear();
  }
}

/** The channel whose link says whether the Gateway can reach people: a linkable one first, else the first configured. */
export function linkOf(channels: readonly Channel[]): HealthSnapshot["linkChannel"] {
  const configured = channels.filter((channel) => statusOf(channel).some((account) => account.isConfigured));
  const main = configured.find((channel) => channel.isLinkable) ?? configured[0];
  if (!main) return undefined;
  return { id: main.id, label: main.label, linked: statusOf(main).some(isLinked), authAgeMs: null };
}

interface View {
  readonly probes: Probes | undefined;
  readonly now: number;
  /** What platforms say may hold what was sent to them. */
  readonly mask?: (text: string) => string;
}

/** The first account's state, and all of them by id. */
export function channelHealth(channel: Channel, view: View): HealthSnapshot["channels"][string] {
  const accounts = statusOf(channel).map((account) => {
    const probe = view.probes?.get(keyOf(channel.id, account.accountId));
    return [account.accountId, accountHealth(account, probe, view)] as const;
  });
  return { ...accounts[0]?.[1], accounts: Object.fromEntries(accounts) };
}

/** The channel's own word; a channel that cannot give it must not silence the others. */
export function statusOf(channel: Channel): readonly ChannelAccountStatus[] {
  try {
    return channel.status();
  } catch (error) {
    const reason = `its state cannot be told: ${error instanceof Error ? error.message : String(error)}`;
    const nothing = { isEnabled: true, isConfigured: true, isRunning: false, isConnected: false };
    return [{ accountId: "default", ...nothing, problem: { reason } }];
  }
}

function isLinked({ isLinked: linked, identity }: ChannelAccountStatus): boolean {
  return linked ?? identity !== undefined;
}

function keyOf(channelId: string, accountId: string): string {
  return `${channelId}:${accountId}`;
}

function accountHealth(
  account: ChannelAccountStatus,
  probe: ChannelProbe | undefined,
  { now, mask = redactText }: View,
) {
  const { problem, identity } = account;
  const age = (time: number | undefined) => (time === undefined ? null : Math.max(0, now - time));
  return {
    accountId: account.accountId,
    ...(account.name ? { name: account.name } : {}),
    configured: account.isConfigured,
    linked: isLinked(account),
    running: account.isRunning,
    connected: account.isConnected,
    state: stateOf(account),
    ...(problem ? { reason: mask(problem.reason), ...(problem.next ? { next: problem.next } : {}) } : {}),
    ...(identity?.username ? { username: identity.username } : {}),
    reconnectAttempts: account.reconnectAttempts ?? 0,
    lastPollAgeMs: age(account.lastPollAt),
    lastInboundAgeMs: age(account.lastInboundAt),
    lastOutboundAgeMs: age(account.lastOutboundAt),
    authAgeMs: null,
    ...(probe ? { probe: toProbe(probe, mask), lastProbeAt: now } : {}),
  };
}

/** An account as `channels.status` shows it. */
export function accountRow(channel: Channel, account: ChannelAccountStatus, { probes, now, mask = redactText }: View) {
  const { problem, identity, tokenSource } = account;
  const probe = probes?.get(keyOf(channel.id, account.accountId));
  return {
    accountId: account.accountId,
    ...(account.name ? { name: account.name } : {}),
    enabled: account.isEnabled,
    configured: account.isConfigured,
    linked: isLinked(account),
    running: account.isRunning,
    connected: account.isConnected,
    healthState: stateOf(account),
    reconnectAttempts: account.reconnectAttempts ?? 0,
    lastError: problem ? mask(problem.reason) : null,
    ...timesOf(account),
    ...(problem?.next ? { next: problem.next } : {}),
    ...(identity?.username ? { username: identity.username } : {}),
    ...(tokenSource ? { tokenSource } : {}),
    ...(probe ? { probe: toProbe(probe, mask), lastProbeAt: now } : {}),
  };
}

/** null: not since the Gateway started. */
function timesOf(account: ChannelAccountStatus) {
  return {
    lastConnectedAt: account.lastConnectedAt ?? null,
    lastStartAt: account.lastStartAt ?? null,
    lastStopAt: account.lastStopAt ?? null,
    lastInboundAt: account.lastInboundAt ?? null,
    lastOutboundAt: account.lastOutboundAt ?? null,
    lastTransportActivityAt: account.lastPollAt ?? null,
  };
}

function stateOf({ problem, isRunning }: ChannelAccountStatus): string {
  if (problem) return "degraded";
  return isRunning ? "running" : "stopped";
}

function toProbe({ isOk, elapsedMs, error }: ChannelProbe, mask: (text: string) => string) {
  return { ok: isOk, elapsedMs, ...(error ? { error: mask(error) } : {}) };
}
