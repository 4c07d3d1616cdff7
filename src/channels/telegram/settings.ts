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

/**
 * botToken, then tokenFile, then TELEGRAM_BOT_TOKEN. @returns undefined when none of them holds anything.
 * @throws what `readFile` throws, for a file that is there but cannot be read.
 */
export async function resolveToken({ settings, fromEnv, readFile }: TokenSources): Promise<Token | undefined> {
  const configured = settings?.botToken?.trim();
  if (configured) return { value: configured, source: "channels.telegram.botToken" };
  const file = settings?.tokenFile?.trim();
  const value = file ? (await readFile(file))?.trim() : undefined;
  if (value) return { value, source: "channels.telegram.tokenFile" };
  const env = fromEnv?.trim();
  return env ? { value: env, source: "TELEGRAM_BOT_TOKEN" } : undefined;
}
