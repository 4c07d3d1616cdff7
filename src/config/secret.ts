// The secret that guards the Gateway, from one place or another, and who looks where first. The side that was used is always
// named, so that a mismatch can be explained (R13).

import { dirname } from "node:path";

import { Fault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import type { Env } from "../platform/env.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../platform/files.ts";
import type { Config } from "../settings/config.ts";

export interface GatewaySecret {
  readonly mode: "token" | "password";
  readonly value: string;
  /** For texts: `--token`, `gateway.auth.token`, the variable's name, or the token file. */
  readonly source: string;
}

export interface SecretSources {
  readonly flags: { readonly token?: string | undefined; readonly password?: string | undefined };
  readonly config: Config;
  readonly env: Env;
  /** Made at the first run when nothing else is set. */
  readonly tokenFile: string;
}

/** Server: flag > config > environment > token file. @returns undefined when there is no secret anywhere. */
export async function resolveServerSecret(sources: SecretSources): Promise<GatewaySecret | undefined> {
  return (
    decideMode(sources.config, fromFlags(sources), fromConfig(sources), fromEnv(sources)) ??
    (await fromFile(sources.tokenFile))
  );
}

/** Client: flag > environment > config > token file. With `gateway.mode` remote the remote's secret stands for the config's. */
export async function resolveClientSecret(sources: SecretSources): Promise<GatewaySecret | undefined> {
  const { config } = sources;
  const configured = config.gateway.mode === "remote" ? fromRemote(config) : fromConfig(sources);
  return decideMode(config, fromFlags(sources), fromEnv(sources), configured) ?? (await fromFile(sources.tokenFile));
}

interface Pair {
  readonly token: GatewaySecret | undefined;
  readonly password: GatewaySecret | undefined;
}

function secret(mode: "token" | "password", value: string | undefined, source: string): GatewaySecret | undefined {
  if (value === undefined) return undefined;
  if (value.trim() === "")
    throw new Fault("usage", `${source} is blank`, { field: source, next: "give it a value or leave it out" });
  return { mode, value, source };
}

const fromFlags = ({ flags }: SecretSources): Pair => ({
  token: secret("token", flags.token, "--token"),
  password: secret("password", flags.password, "--password"),
});

const fromConfig = ({ config }: SecretSources): Pair => ({
  token: secret("token", config.gateway.auth.token, "gateway.auth.token"),
  password: secret("password", config.gateway.auth.password, "gateway.auth.password"),
});

const fromRemote = (config: Config): Pair => ({
  token: secret("token", config.gateway.remote?.token, "gateway.remote.token"),
  password: secret("password", config.gateway.remote?.password, "gateway.remote.password"),
});

const fromEnv = ({ env }: SecretSources): Pair => ({
  token: secret("token", env.get("GATEWAY_TOKEN"), env.source("GATEWAY_TOKEN") ?? "environment"),
  password: secret("password", env.get("GATEWAY_PASSWORD"), env.source("GATEWAY_PASSWORD") ?? "environment"),
});

async function fromFile(tokenFile: string): Promise<GatewaySecret | undefined> {
  const text = (await readTextIfExists(tokenFile))?.trim();
  return text ? { mode: "token", value: text, source: tokenFile } : undefined;
}

/** The mode that is set, else password where the first source that has anything has one, else token. */
function decideMode(config: Config, ...pairs: readonly Pair[]): GatewaySecret | undefined {
  const mode = config.gateway.auth.mode;
  for (const { token, password } of pairs) {
    const found = mode === "token" ? token : mode === "password" ? password : (password ?? token);
    if (found) return found;
  }
  return undefined;
}

/** Makes the token file: 24 random bytes as hex, readable by its owner alone. @returns the new token. */
export async function createGatewayToken(tokenFile: string, ids: Ids): Promise<GatewaySecret> {
  const value = ids.secret(24);
  await ensureFolder(dirname(tokenFile));
  await writeFileAtomic(tokenFile, `${value}\n`);
  return { mode: "token", value, source: tokenFile };
}
