// What a change of keys disturbs: the declared effect of each, and of a section that is not declared, that of the nearest one
// around it. Pure.

import { defaultAccount, toAccountId } from "../base/ids.ts";
import { readConfigKeys } from "../settings/key-table.ts";
import type { ReloadEffect } from "../settings/key.ts";
import { isOwnKey } from "./accounts.ts";
import { findKey } from "./secret-paths.ts";

export interface Disturbance {
  /** Keys that count only once the Gateway has started again. */
  readonly restart: readonly string[];
  /** Keys that count only once its listener has. */
  readonly listener: readonly string[];
  /** Channels that start again, or some of their accounts. */
  readonly channels: readonly ChannelDisturbance[];
  /** Keys that somebody has to be told of. */
  readonly hot: readonly string[];
}

export interface ChannelDisturbance {
  readonly id: string;
  /** undefined: all of them. */
  readonly accounts: readonly string[] | undefined;
}

export function decideDisturbance(changes: readonly (readonly string[])[]): Disturbance {
  const keys = readConfigKeys();
  const effectOf = (path: readonly string[]): ReloadEffect => {
    for (let length = path.length; length > 0; length -= 1) {
      const row = findKey(keys, path.slice(0, length));
      if (row) return row.reload;
    }
    return "restart";
  };
  const withEffect = (effect: ReloadEffect) => changes.filter((path) => effectOf(path) === effect);
  const join = (paths: readonly (readonly string[])[]) => paths.map((path) => path.join("."));
  return {
    restart: join(withEffect("restart")),
    listener: join(withEffect("listener")),
    channels: joinChannels(withEffect("channel")),
    hot: join(withEffect("hot")),
  };
}

function joinChannels(paths: readonly (readonly string[])[]): readonly ChannelDisturbance[] {
  const byChannel = Map.groupBy(paths, channelOf);
  return [...byChannel].map(([id, keys]) => {
    const accounts = keys.map(accountOf);
    return { id, accounts: accounts.includes(undefined) ? undefined : [...new Set(accounts as string[])] };
  });
}

/** The account that alone is concerned; undefined: every one may be. */
function accountOf([section, , key = "", account]: readonly string[]): string | undefined {
  if (section !== "channels") return undefined;
  if (key === "accounts") return account === undefined ? undefined : toAccountId(account);
  return isOwnKey(key) ? defaultAccount : undefined;
}

/** `web` is an older section of one channel. */
function channelOf([section, id = ""]: readonly string[]): string {
  return section === "web" ? "whatsapp" : id;
}
