// What a change of keys disturbs: the declared effect of each, and of a section that is not declared, that of the nearest one
// around it. Pure.

import { readConfigKeys } from "../settings/key-table.ts";
import type { ReloadEffect } from "../settings/key.ts";
import { findKey } from "./secret-paths.ts";

export interface Disturbance {
  /** Keys that count only once the Gateway has started again. */
  readonly restart: readonly string[];
  /** Keys that count only once its listener has. */
  readonly listener: readonly string[];
  /** Ids of the channels that start again. */
  readonly channels: readonly string[];
  /** Keys that somebody has to be told of. */
  readonly hot: readonly string[];
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
    channels: [...new Set(withEffect("channel").map(channelOf))],
    hot: join(withEffect("hot")),
  };
}

/** `web` is an older section of one channel. */
function channelOf([section, id = ""]: readonly string[]): string {
  return section === "web" ? "whatsapp" : id;
}
