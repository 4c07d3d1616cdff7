// What a bot needs of the config, and what is fixed.

import type { BotSettings, TelegramSection } from "../../config/accounts.ts";

/** The channel's section, accounts and all. */
export type TelegramSettings = TelegramSection;
export type { BotSettings };

export const defaultApiRoot = "https://api.telegram.org";

/** Of an API call, unless the config says. */
export const defaultTimeoutSeconds = 60;

/** Telegram takes 4,096 characters; the rest is room for what formatting adds. */
export const longestText = 4_000;
