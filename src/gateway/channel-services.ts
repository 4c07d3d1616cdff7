// A service for each account of each channel, so that a start which fails is that account's alone (R6). Accounts come and go with the
// config.

import type { Clock } from "../base/clock.ts";
import { createDeadline } from "../base/deadline.ts";
import type { Service } from "../base/service.ts";
import type { ChannelDisturbance } from "../config/effects.ts";
import type { Supervisor } from "../platform/supervisor.ts";
import type { Channel } from "../ports/channel.ts";
import type { Submit } from "../ports/message.ts";

export interface ChannelServices {
  /** One for each account that is set up now, to be started by the caller, once. */
  all(): readonly Service[];
  /** The config has changed: what is new starts, what has gone stops, what was disturbed starts again, all side by side. */
  follow(disturbed: ChannelDisturbance): Promise<void>;
}

export interface ChannelServicesDependencies {
  readonly clock: Clock;
  readonly channels: readonly Channel[];
  readonly submit: Submit;
  readonly supervisor: Pick<Supervisor, "start" | "restart" | "remove">;
}

/** For what an account holds to be stored. */
const stopMs = 5_000;

const serviceName = (channel: string, account: string) => `channel ${channel}:${account}`;

export function createChannelServices(dependencies: ChannelServicesDependencies): ChannelServices {
  const { clock, channels, submit, supervisor } = dependencies;
  /** By channel; undefined until the Gateway starts them. */
  let known: Map<string, ReadonlySet<string>> | undefined;

  const toService = (channel: Channel, account: string): Service => ({
    name: serviceName(channel.id, account),
    start: () => channel.start(submit, account),
    stop: (deadline) => channel.stop(deadline, account),
  });
  const within = async (task: (deadline: AbortSignal) => Promise<void>) => {
    const deadline = createDeadline(clock, stopMs);
    await task(deadline.signal).finally(deadline.clear);
  };

  return {
    all() {
      known = new Map(channels.map((channel) => [channel.id, new Set(channel.accounts())]));
      return channels.flatMap((channel) => channel.accounts().map((account) => toService(channel, account)));
    },
    async follow({ id, accounts: disturbed }) {
      const channel = channels.find((candidate) => candidate.id === id);
      const before = known?.get(id);
      if (!channel || !known || !before) return;
      const now = new Set(channel.accounts());
      known.set(id, now);
      const isDisturbed = (account: string) => disturbed === undefined || disturbed.includes(account);
      const gone = [...before].filter((account) => !now.has(account));
      const again = [...before].filter((account) => now.has(account) && isDisturbed(account));
      const added = [...now].filter((account) => !before.has(account)).map((account) => toService(channel, account));
      await Promise.all([
        ...gone.map((account) => within((deadline) => supervisor.remove(serviceName(id, account), deadline))),
        ...again.map((account) => within((deadline) => supervisor.restart(serviceName(id, account), deadline))),
        ...added.map((service) => supervisor.start([service])),
      ]);
    },
  };
}
