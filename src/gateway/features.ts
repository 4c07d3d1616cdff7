// What runs in a Gateway: a plain list. What channels need is loaded when they start; one that is not set up does not.

import type { Channel } from "../ports/channel.ts";
import { createTelegram, isSetUp, type TelegramDependencies } from "../channels/telegram/channel.ts";

export interface ChannelDependencies {
  readonly telegram: TelegramDependencies;
}

export interface Channels {
  readonly all: readonly Channel[];
  /** Those that the config or the environment sets up now. */
  setUp(): readonly Channel[];
}

/** None in safe mode. */
export function createChannels(isSafe: boolean, dependencies: ChannelDependencies): Channels {
  if (isSafe) return { all: [], setUp: () => [] };
  const { telegram } = dependencies;
  const channel = createTelegram(telegram);
  return {
    all: [channel],
    setUp: () => (isSetUp(telegram) ? [channel] : []),
  };
}
