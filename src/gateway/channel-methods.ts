// `channels.*`: how channels are, and switching them while the Gateway runs.

import type { Clock } from "../base/clock.ts";
import { createDeadline } from "../base/deadline.ts";
import { Fault } from "../base/fault.ts";
import { toAccountId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import type { Channel } from "../ports/channel.ts";
import type { Submit } from "../ports/message.ts";
import type { HandlersOf } from "../ports/method.ts";
import { accountRow, probeAll, statusOf } from "./channel-health.ts";

export interface ChannelMethodDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly channels: () => readonly Channel[];
  readonly submit: Submit;
  /** `dmPolicy` of an account, for those who ask how it is. */
  readonly dmPolicy: (channel: string, account: string) => string;
  /** Health changed. */
  readonly touch: () => void;
}

type Names = "channels.status" | "channels.start" | "channels.stop" | "channels.logout";

const defaultTimeoutMs = 10_000;
const leastTimeoutMs = 1_000;
const mostTimeoutMs = 60_000;
/** Time for what a channel holds to be stored. */
const stopMs = 5_000;

export function createChannelHandlers(dependencies: ChannelMethodDependencies): HandlersOf<Names> {
  const { clock, log, channels, submit, touch } = dependencies;
  const find = (method: string, params: { channel: string; accountId?: string }) =>
    findAccount(channels(), method, params);
  const stop = async (channel: Channel, accountId: string) => {
    const deadline = createDeadline(clock, stopMs);
    try {
      await channel.stop(deadline.signal, accountId);
    } finally {
      deadline.clear();
    }
  };

  return {
    async "channels.status"({ params }) {
      const shown =
        params.channel === undefined ? channels() : [find("channels.status", { channel: params.channel }).channel];
      const timeoutMs = Math.min(Math.max(params.timeoutMs ?? defaultTimeoutMs, leastTimeoutMs), mostTimeoutMs);
      const probes = params.probe === true ? await probeAll(shown, clock, timeoutMs) : undefined;
      const now = clock.now();
      const rows = shown.map((channel) => ({
        id: channel.id,
        label: channel.label,
        accounts: statusOf(channel).map((account) => ({
          ...accountRow(channel, account, { probes, now }),
          dmPolicy: dependencies.dmPolicy(channel.id, account.accountId),
        })),
      }));
      const by = <T>(value: (row: (typeof rows)[number]) => T | undefined): Record<string, T> =>
        Object.fromEntries(
          rows.flatMap((row) => {
            const found = value(row);
            return found === undefined ? [] : [[row.id, found] as const];
          }),
        );
      return {
        ts: now,
        channelOrder: rows.map(({ id }) => id),
        channelLabels: by(({ label }) => label),
        channelDetailLabels: by(({ label }) => label),
        channelSystemImages: {},
        channelMeta: rows.map(({ id, label }) => ({ id, label, detailLabel: label })),
        channels: by(({ accounts }) => accounts[0]),
        channelAccounts: by(({ accounts }) => accounts),
        channelDefaultAccountId: by(({ accounts }) => accounts[0]?.accountId),
      };
    },
    async "channels.start"({ params }) {
      const { channel, accountId } = find("channels.start", params);
      if (!isRunning(channel, accountId)) await channel.start(submit, accountId);
      log.info("an account was started on request", { channel: channel.id, accountId });
      touch();
      return { channel: channel.id, accountId, started: isRunning(channel, accountId) };
    },
    async "channels.stop"({ params }) {
      const { channel, accountId } = find("channels.stop", params);
      await stop(channel, accountId);
      log.info("an account was stopped on request", { channel: channel.id, accountId });
      touch();
      return { channel: channel.id, accountId, stopped: !isRunning(channel, accountId) };
    },
    async "channels.logout"({ params }) {
      const { channel, accountId } = find("channels.logout", params);
      if (!channel.logout) {
        throw new Fault("unsupported_channel", `channel ${channel.id} does not support logout`, { field: "channel" });
      }
      await stop(channel, accountId);
      const { isCleared, isLoggedOut, isInEnvironment } = await channel.logout(accountId);
      log.info("an account was logged out on request", { channel: channel.id, accountId, isCleared });
      touch();
      return { channel: channel.id, accountId, cleared: isCleared, loggedOut: isLoggedOut, envToken: isInEnvironment };
    },
  };
}

/** @throws Fault naming what there is. */
function findAccount(
  channels: readonly Channel[],
  method: string,
  params: { readonly channel: string; readonly accountId?: string },
): { channel: Channel; accountId: string } {
  const id = params.channel.trim().toLowerCase();
  const channel = channels.find((candidate) => candidate.id === id);
  if (!channel) {
    const known = channels.map((candidate) => candidate.id).join(", ");
    throw new Fault("unsupported_channel", `invalid ${method} channel`, {
      field: "channel",
      next: known === "" ? "no channel is set up" : `use one of: ${known}`,
    });
  }
  const accounts = statusOf(channel).map(({ accountId }) => accountId);
  const asked = params.accountId?.trim() ? toAccountId(params.accountId.trim()) : accounts[0];
  if (asked === undefined || !accounts.includes(asked)) {
    throw new Fault("not_found", `channel ${id} has no such account`, {
      field: "accountId",
      next: `use one of: ${accounts.join(", ")}`,
    });
  }
  return { channel, accountId: asked };
}

function isRunning(channel: Channel, accountId: string): boolean {
  return statusOf(channel).some((account) => account.accountId === accountId && account.isRunning);
}
