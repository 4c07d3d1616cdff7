// What the Telegram channel needs of the config, and where its token comes from.

import type { Config } from "../../settings/config.ts";

export type TelegramSettings = NonNullable<Config["channels"]["telegram"]>;

export const defaultApiRoot = "https://api.telegram.org";
export const defaultAccount = "default";

export interface Token {
  readonly value: string;
  /** For texts: never the token itself. */
  readonly source: string;
}

export interface TokenSources {
  readonly settings: TelegramSettings | undefined;
  readonly fromEnv: string | undefined;
  readonly readFile: (path: string) => Promise<string | undefined>;
}

/** tokenFile, then botToken, then TELEGRAM_BOT_TOKEN. @returns undefined when none of them holds anything. */
export async function resolveToken({ settings, fromEnv, readFile }: TokenSources): Promise<Token | undefined> {
  const file = settings?.tokenFile?.trim();
  if (file) {
    const value = (await readFile(file))?.trim();
    if (value) return { value, source: "channels.telegram.tokenFile" };
  }
  const configured = settings?.botToken?.trim();
  if (configured) return { value: configured, source: "channels.telegram.botToken" };
  return fromEnv ? { value: fromEnv, source: "TELEGRAM_BOT_TOKEN" } : undefined;
}
