// What stands in for a config file that cannot be used: the newest version that works, else the safe config, in which nothing
// counts but how to reach the Gateway.

import { isRecord } from "../base/json.ts";
import type { Config } from "../settings/config.ts";
import { evaluateContent, type ConfigFiles, type Evaluating } from "./evaluate.ts";
import { checkSource, createPlace, defaultConfig, parseSource } from "./parse.ts";
import { findSecrets } from "./secret-refs.ts";

/** Which contents are stepped over, although they are in order. */
export interface Ladder {
  /** Why this content is not to be used from there; undefined: it may be. */
  distrust(id: string, source: "file" | "last-good"): Distrust | undefined;
  /** Not even a good version is to be tried. */
  readonly isSafe: boolean;
}

export interface Distrust {
  readonly reason: string;
  /** False: it did serve for a moment, so that it is still better than the safe config. */
  readonly isCertain: boolean;
}

/** Nothing has ever failed. */
export const firmGround: Ladder = { distrust: () => undefined, isSafe: false };

export interface StandIn {
  readonly source: "last-good" | "safe";
  readonly config: Config;
  /** Of the version; undefined for the safe config. */
  readonly id: string | undefined;
}

/** `text`: what the file says, where it can be read. */
export async function standIn(
  files: ConfigFiles,
  { text, ladder }: { readonly text: string | undefined; readonly ladder: Ladder },
): Promise<StandIn> {
  const versions = ladder.isSafe ? [] : ((await files.history?.list()) ?? []);
  for (const version of versions) {
    const isTrusted = (["file", "last-good"] as const).every((from) => ladder.distrust(version.id, from) === undefined);
    if (!version.isGood || !isTrusted) continue;
    const content = await files.history?.read(version);
    // what was good under an older program, or with a variable that is gone now, is not good any more
    const parsed = content && (await evaluateContent(content, files)).parsed;
    if (parsed && "config" in parsed) return { source: "last-good", config: parsed.config, id: version.id };
  }
  return { source: "safe", config: await createSafeConfig(text, files), id: undefined };
}

/** The defaults, with the file's section on the Gateway itself when that alone is in order: port, addresses and secret stay known. */
export async function createSafeConfig(text: string | undefined, { path, variable }: Evaluating): Promise<Config> {
  const source = text === undefined ? undefined : parseSource(text);
  // whoever has written a file that nobody can read has set a Gateway up
  if (!source || "problems" in source) return withMode(defaultConfig(), "local");
  const { gateway, env } = source.value;
  const at = createPlace("{}");
  const home = variable("HOME") ?? variable("USERPROFILE");
  const { value } = await findSecrets({ gateway, ...(env === undefined ? {} : { env }) }, { path, home, at });
  const parsed = checkSource(value, at, variable);
  if ("config" in parsed) return withMode(parsed.config, parsed.config.gateway.mode);
  return withMode(defaultConfig(), isRecord(gateway) && gateway["mode"] === "remote" ? "remote" : "local");
}

function withMode(config: Config, mode: Config["gateway"]["mode"]): Config {
  const { mode: _mode, auth, ...gateway } = config.gateway;
  // a password that is nowhere must not keep its owner out: then a token does
  const { mode: method, ...secrets } = auth;
  const isKept = method === "token" || secrets.password !== undefined;
  const kept = isKept && method !== undefined ? { ...secrets, mode: method } : secrets;
  return { ...defaultConfig(), gateway: { ...gateway, auth: kept, ...(mode === undefined ? {} : { mode }) } };
}
