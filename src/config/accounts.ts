// The accounts of a channel as the config sets them up: what an account does not say, the channel says for it. Pure.

import { defaultAccount, toAccountId } from "../base/ids.ts";
import type { Config } from "../settings/config.ts";

export type TelegramSection = NonNullable<Config["channels"]["telegram"]>;
/** One bot's settings, with what it takes from the channel. */
export type BotSettings = Omit<TelegramSection, "accounts">;

interface Section {
  readonly enabled?: boolean;
  readonly accounts?: Readonly<Record<string, { readonly enabled?: boolean }>>;
}

/** What one account is: at the top of the channel it is the default account's, and no other takes it from there. */
const ownKeys: readonly string[] = ["name", "botToken", "tokenFile", "authDir", "webhookUrl", "webhookSecret"];

/** True for a key at the top of a channel that says something of the default account alone. */
export const isOwnKey = (key: string): boolean => ownKeys.includes(key);

/** Its settings, switched on only where the channel is too. An account that the section does not name has the channel's. */
export function settingsOf<S extends Section>(section: S, id: string): Omit<S, "accounts"> {
  const { accounts, ...channel } = section;
  const shared = Object.entries(channel).filter(([key]) => id === defaultAccount || !isOwnKey(key));
  const key = keyOf(section, id);
  const own = key === undefined ? {} : (accounts?.[key] ?? {});
  const isEnabled = section.enabled !== false && own.enabled !== false;
  // every key of an account is one of the channel's, with the same type
  return { ...Object.fromEntries(shared), ...own, enabled: isEnabled } as Omit<S, "accounts">;
}

/** How the file spells the account; undefined when it has no section of its own. */
export function keyOf({ accounts }: Section, id: string): string | undefined {
  return Object.keys(accounts ?? {}).find((key) => toAccountId(key) === id);
}

/** Where an account's settings stand in the file, for those that it has alone. */
export function placeOf(channel: string, section: Section, id: string): readonly string[] {
  const key = keyOf(section, id);
  if (key === undefined && id === defaultAccount) return ["channels", channel];
  return ["channels", channel, "accounts", key ?? id];
}

/**
 * Ids of the bots that are set up, the one that is meant when none is named first. The default account is there when it has a token, or
 * a section, or when there is no other.
 */
export function botsOf(section: TelegramSection | undefined, fromEnv: string | undefined): readonly string[] {
  const named = [...new Set(Object.keys(section?.accounts ?? {}).map(toAccountId))];
  const others = named.filter((id) => id !== defaultAccount);
  const tokens = [section?.botToken, section?.tokenFile, isSpent(section, fromEnv) ? undefined : fromEnv];
  const hasToken = tokens.some((value) => (value ?? "").trim() !== "");
  const isAlone = section !== undefined && named.length === 0;
  return hasToken || isAlone || others.length < named.length ? [defaultAccount, ...others] : others;
}

/** The variable's token stands in an account, most likely by `${TELEGRAM_BOT_TOKEN}`: it is that account's. */
const isSpent = (section: TelegramSection | undefined, fromEnv: string | undefined): boolean =>
  Object.values(section?.accounts ?? {}).some(
    ({ botToken }) => botToken !== undefined && botToken.trim() === fromEnv?.trim(),
  );

/** Somewhere a token may be: a key or a variable, and what it holds. */
export interface TokenPlace {
  readonly name: string;
  readonly kind: "token" | "file";
  readonly value: string;
}

/** Where a bot's token is looked for, in this order; blank ones are left out. The environment's is the default account's alone. */
export function tokenPlaces(
  section: TelegramSection | undefined,
  id: string,
  fromEnv: string | undefined,
): readonly TokenPlace[] {
  const key = section && keyOf(section, id);
  const own = key === undefined ? [] : placesIn(`channels.telegram.accounts.${key}`, section?.accounts?.[key]);
  if (id !== defaultAccount) return own;
  return [
    ...own,
    ...placesIn("channels.telegram", section),
    ...filled([{ name: "TELEGRAM_BOT_TOKEN", kind: "token", value: fromEnv }]),
  ];
}

const placesIn = (path: string, keys: { readonly botToken?: string; readonly tokenFile?: string } | undefined) =>
  filled([
    { name: `${path}.botToken`, kind: "token", value: keys?.botToken },
    { name: `${path}.tokenFile`, kind: "file", value: keys?.tokenFile },
  ]);

const filled = (
  places: readonly (Omit<TokenPlace, "value"> & { readonly value: string | undefined })[],
): readonly TokenPlace[] =>
  places.flatMap(({ value, ...place }) => (value?.trim() ? [{ ...place, value: value.trim() }] : []));
