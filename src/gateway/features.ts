// What runs in a Gateway: a plain list. Channels that are not set up are not loaded.

import type { Channel } from "../ports/channel.ts";
import { createTelegram, type TelegramDependencies } from "../channels/telegram/channel.ts";

export interface ChannelDependencies {
  readonly telegram: TelegramDependencies;
}

/** Channels that the config or the environment sets up. */
export function createChannels(dependencies: ChannelDependencies): readonly Channel[] {
  const { telegram } = dependencies;
  const channels: Channel[] = [];
  if (telegram.settings() !== undefined || telegram.tokenFromEnv() !== undefined)
    channels.push(createTelegram(telegram));
  return channels;
}
