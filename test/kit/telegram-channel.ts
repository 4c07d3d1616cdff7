// Telegram's channel with nothing around it: no environment, no files, no config to change, a log that nobody reads.

import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { createTelegram, type TelegramDependencies } from "../../src/channels/telegram/channel.ts";
import type { Channel } from "../../src/ports/channel.ts";

type Needed = "settings" | "fetch";

export const createBareTelegram = (
  dependencies: Pick<TelegramDependencies, Needed> & Partial<Omit<TelegramDependencies, Needed>>,
): Channel =>
  createTelegram({
    tokenFromEnv: () => undefined,
    unsetKeys: async () => false,
    readFile: async () => undefined,
    clock: systemClock,
    log: silentLog,
    ...dependencies,
  });
