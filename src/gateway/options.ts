// What a Gateway is made with.

import type { Brand } from "../base/brand.ts";
import type { Clock } from "../base/clock.ts";
import type { Ids } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import type { GatewaySecret } from "../config/secret.ts";
import type { ConfigStore } from "../config/store.ts";
import type { AskRestart } from "../config/take-up.ts";
import type { Database } from "../platform/database.ts";
import type { Env } from "../platform/env.ts";
import type { Listener } from "../platform/listen.ts";
import type { Paths } from "../platform/paths.ts";
import type { Timeline } from "../ports/timeline.ts";
import type { MoveListener } from "./moving.ts";
import type { WsLogging } from "./ws-log.ts";

export interface GatewayOptions {
  readonly brand: Brand;
  readonly version: string;
  readonly paths: Paths;
  readonly env: Env;
  readonly config: ConfigStore;
  /** The one that counts now. */
  readonly secret: () => GatewaySecret;
  /** Looks for the secret again after the config has changed. @throws Fault when there is none; the one before stays. */
  readonly renewSecret?: () => Promise<void>;
  /** Up to date, with the tables of all rooms; a Gateway that stops closes it. */
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly logFile: () => string;
  /** Why log lines are lost now; undefined while they are not. Absent: nobody knows. */
  readonly logTrouble?: () => { readonly reason: string; readonly lost: number } | undefined;
  /** Lines lost so far; absent: nobody counts. */
  readonly lostLogLines?: () => number;
  /** Takes what this Gateway goes through; absent: nobody asks later. */
  readonly timeline?: Timeline;
  /** Takes the secrets of this instance out of a text. Absent: what looks like one. */
  readonly mask?: (text: string) => string;
  readonly wsLogging?: WsLogging;
  /** Takes what models stream; absent: nothing does. */
  readonly recordModel?: (entry: Readonly<Record<string, unknown>>) => void;
  /** A command as its owner types it, with the name and the profile of this instance. */
  readonly command: (words: string) => string;
  /** Asks whoever runs this Gateway to start it anew; absent: a person has to. */
  readonly restart?: AskRestart;
  /** Already listening: its requests are answered from `start` on. */
  readonly listener: Listener;
  /** Absent: it stays where it is. */
  readonly moveListener?: MoveListener;
}
