// What every command gets: names, paths, settings, output. Nothing is read before a command asks for it.

import { existsSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename } from "node:path";

import type { Brand } from "../base/brand.ts";
import { systemClock, type Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { systemIds, type Ids } from "../base/ids.ts";
import { createEnv, type Env } from "../platform/env.ts";
import { derivePaths, devProfile, parseProfile, profileFromEnv, type Paths } from "../platform/paths.ts";
import { createOutput, type ColorChoice, type Output } from "./render/output.ts";

export interface GlobalFlags {
  readonly dev?: boolean;
  readonly profile?: string;
  readonly json?: boolean;
  readonly url?: string;
  readonly token?: string;
  readonly password?: string;
  readonly color?: boolean;
}

export interface Context {
  readonly brand: Brand;
  readonly version: string;
  readonly env: Env;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly flags: GlobalFlags;
  readonly out: Output;
  /** The command as a person would type it: `openclaw --profile x health`. */
  command(words: string): string;
}

/** @throws Fault `usage` for a bad profile. */
export function createContext(brand: Brand, version: string, flags: GlobalFlags): Context {
  const env = createEnv(brand);
  const profile = decideProfile(flags);
  const paths = derivePaths({
    brand,
    env,
    profile,
    home: homedir(),
    temporary: process.platform === "win32" ? tmpdir() : "/tmp",
    exists: existsSync,
  });
  const named = profile ?? profileOfState(env, paths.state);
  const prefix = named === undefined ? "" : named === devProfile ? " --dev" : ` --profile ${named}`;
  return {
    brand,
    version,
    env,
    paths,
    clock: systemClock,
    ids: systemIds,
    flags,
    out: createOutput({ color: decideColor(env, flags.color === false) }),
    command: (words) => `${brand.name}${prefix} ${words}`,
  };
}

/**
 * A service has its profile in the environment, and whoever reads its log does not. Where the flag would lead to another folder than
 * this one, the variable alone was set, and a hint with the flag would be wrong.
 */
function profileOfState(env: Env, state: string): string | undefined {
  const name = profileFromEnv(env);
  return name !== undefined && basename(state).endsWith(`-${name}`) ? name : undefined;
}

/** `--no-color`, then FORCE_COLOR, then NO_COLOR (https://no-color.org), else where a person looks. */
export function decideColor(env: Env, isOff: boolean): ColorChoice {
  if (isOff) return "never";
  const forced = env.raw("FORCE_COLOR");
  if (forced !== undefined) return forced === "0" ? "never" : "always";
  return env.raw("NO_COLOR") === undefined ? "auto" : "never";
}

function decideProfile({ dev, profile }: GlobalFlags): string | undefined {
  if (dev && profile !== undefined) throw new Fault("usage", "Cannot combine --dev with --profile");
  if (dev) return devProfile;
  return profile === undefined ? undefined : parseProfile(profile);
}
