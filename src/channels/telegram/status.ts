// What is known of the account, for `health`: written by poll and send, read by anybody.

import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { ChannelAccountStatus } from "../../ports/channel.ts";
import type { Me } from "./receive.ts";
import type { BotSettings } from "./settings.ts";

/** Lines about a flapping account within any minute. */
const maxLinesAMinute = 5;

export interface StatusBoard {
  readonly snapshot: () => ChannelAccountStatus;
  configured(tokenSource: string | undefined): void;
  running(isRunning: boolean): void;
  /** The account works; clears what was wrong. */
  reached(): void;
  polled(): void;
  /** getMe answered. */
  identified(me: Me): void;
  received(): void;
  sent(): void;
  /** Something does not work; the same trouble again is not told again. */
  trouble(reason: string, next?: string): void;
}

export function createStatusBoard(options: {
  accountId: string;
  clock: Clock;
  log: Log;
  settings: () => BotSettings | undefined;
  onChange: () => void;
  /** How old the last poll may be. */
  pollDeadlineMs: number;
}): StatusBoard {
  const { clock, log } = options;
  let state: ChannelAccountStatus = {
    accountId: options.accountId,
    isEnabled: true,
    isConfigured: false,
    isRunning: false,
    isConnected: false,
    pollDeadlineMs: options.pollDeadlineMs,
  };
  let toldAt: readonly number[] = [];

  const update = (change: Partial<ChannelAccountStatus>) => {
    state = { ...state, ...change };
  };
  const mayTell = () => {
    const now = clock.monotonic();
    toldAt = toldAt.filter((time) => now - time < 60_000);
    if (toldAt.length >= maxLinesAMinute) return false;
    toldAt = [...toldAt, now];
    return true;
  };

  const reached = () => {
    const wasDown = !state.isConnected;
    const { problem: _problem, ...rest } = state;
    state = { ...rest, isConnected: true, ...(wasDown ? { lastConnectedAt: clock.now() } : {}) };
    if (!wasDown) return;
    if (mayTell()) log.info("connected", state.identity?.username ? { bot: state.identity.username } : undefined);
    options.onChange();
  };

  return {
    snapshot() {
      const { enabled, name } = options.settings() ?? {};
      return { ...state, ...(name ? { name } : {}), isEnabled: enabled !== false };
    },
    configured(tokenSource) {
      const { tokenSource: _before, ...rest } = state;
      state = { ...rest, isConfigured: tokenSource !== undefined, ...(tokenSource ? { tokenSource } : {}) };
    },
    running(isRunning) {
      update(
        isRunning
          ? { isRunning, lastStartAt: clock.now() }
          : { isRunning, isConnected: false, lastStopAt: clock.now() },
      );
      options.onChange();
    },
    reached,
    polled() {
      reached();
      update({ lastPollAt: clock.now(), reconnectAttempts: 0 });
    },
    identified(me) {
      update({ identity: { id: String(me.id), ...(me.username ? { username: me.username } : {}) } });
    },
    received: () => update({ lastInboundAt: clock.now() }),
    sent: () => update({ lastOutboundAt: clock.now() }),
    trouble(reason, next) {
      const isNew = state.problem?.reason !== reason;
      update({
        isConnected: false,
        problem: { reason, ...(next ? { next } : {}) },
        reconnectAttempts: (state.reconnectAttempts ?? 0) + 1,
      });
      if (!isNew) return;
      if (mayTell()) log.warn("trouble", { reason, ...(next ? { next } : {}) });
      options.onChange();
    },
  };
}
