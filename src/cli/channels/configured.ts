// Channels as the config and the environment set them up, for when nobody can be asked how they are.

import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";

export interface ConfiguredChannel {
  readonly id: string;
  readonly enabled: boolean;
  readonly configured: boolean;
  /** Where the token would come from; absent when there is none. */
  readonly tokenSource?: string;
}

export function listConfigured({ channels }: Config, { env }: Context): ConfiguredChannel[] {
  const { telegram } = channels;
  const sources = [
    { name: "channels.telegram.botToken", value: telegram?.botToken },
    { name: "channels.telegram.tokenFile", value: telegram?.tokenFile },
    { name: "TELEGRAM_BOT_TOKEN", value: env.raw("TELEGRAM_BOT_TOKEN") },
  ];
  const tokenSource = sources.find(({ value }) => value !== undefined && value.trim() !== "")?.name;
  if (telegram === undefined && tokenSource === undefined) return [];
  return [
    {
      id: "telegram",
      enabled: telegram?.enabled !== false,
      configured: tokenSource !== undefined,
      ...(tokenSource === undefined ? {} : { tokenSource }),
    },
  ];
}

export function renderConfigured({ id, enabled, configured, tokenSource }: ConfiguredChannel): string {
  const state = configured ? `configured (token from ${tokenSource})` : "not configured";
  return `${id}: ${enabled ? state : `${state}, switched off`}`;
}
