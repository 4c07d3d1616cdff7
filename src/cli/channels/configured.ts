// Accounts as the config and the environment set them up, for when nobody can be asked how they are.

import { botsOf, settingsOf, tokenPlaces } from "../../config/accounts.ts";
import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";

export interface ConfiguredAccount {
  /** Of the channel. */
  readonly id: string;
  readonly account: string;
  readonly name?: string;
  readonly enabled: boolean;
  readonly configured: boolean;
  /** Where the token would come from; absent when there is none. */
  readonly tokenSource?: string;
}

/** The one that is meant when none is named comes first. */
export function listConfigured({ channels }: Config, { env }: Context): ConfiguredAccount[] {
  const { telegram } = channels;
  const fromEnv = env.raw("TELEGRAM_BOT_TOKEN");
  return botsOf(telegram, fromEnv).map((account) => {
    const tokenSource = tokenPlaces(telegram, account, fromEnv)[0]?.name;
    const { name, enabled } = telegram ? settingsOf(telegram, account) : {};
    return {
      id: "telegram",
      account,
      ...(name === undefined ? {} : { name }),
      enabled: enabled !== false,
      configured: tokenSource !== undefined,
      ...(tokenSource === undefined ? {} : { tokenSource }),
    };
  });
}

export function renderConfigured({ id, account, name, enabled, configured, tokenSource }: ConfiguredAccount): string {
  const state = configured ? `configured (token from ${tokenSource})` : "not configured";
  const called = name === undefined ? "" : ` (${name})`;
  return `${id} ${account}${called}: ${enabled ? state : `${state}, switched off`}`;
}
