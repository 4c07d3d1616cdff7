// The secret that guards the Gateway, from one place or another, and who looks where first. The side that was used is always
// named, so that a mismatch can be explained (R13).

import { dirname } from "node:path";

import { reasonOf } from "../base/error-code.ts";
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

/**
 * Server: flag > config > environment > token file. @returns undefined when there is no secret anywhere.
 * @throws Fault `usage` for a blank one, `storage` for a token file that is there and cannot be read.
 */
export async function resolveServerSecret(sources: SecretSources): Promise<GatewaySecret | undefined> {
  const found = decideSecret(sources.config.gateway.auth.mode, fromFlags(sources), [
    fromConfig(sources),
    fromEnv(sources),
  ]);
  return found ?? (await fromFile(sources));
}

/**
 * Client: flag > environment > config > token file. With `gateway.mode` remote the remote's secret stands for the config's, and
 * the token file is not read: it belongs to the Gateway of this machine and must not reach another.
 */
export async function resolveClientSecret(sources: SecretSources): Promise<GatewaySecret | undefined> {
  const { config } = sources;
  const isRemote = config.gateway.mode === "remote";
  const configured = isRemote ? fromRemote(config) : fromConfig(sources);
  // the mode in the config is that of this machine's Gateway
  const mode = isRemote ? undefined : config.gateway.auth.mode;
  const found = decideSecret(mode, fromFlags(sources), [fromEnv(sources), configured]);
  return found ?? (isRemote ? undefined : await fromFile(sources));
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

async function fromFile({ tokenFile, config }: SecretSources): Promise<GatewaySecret | undefined> {
  // who asked for a password must not get a token instead
  if (config.gateway.auth.mode === "password") return undefined;
  const text = (await readTokenFile(tokenFile))?.trim();
  return text ? { mode: "token", value: text, source: tokenFile } : undefined;
}

async function readTokenFile(path: string): Promise<string | undefined> {
  try {
    return await readTextIfExists(path);
  } catch (cause) {
    const reason = reasonOf(cause);
    throw new Fault("storage", `the token file ${path} cannot be read (${reason})`, {
      cause,
      next: "it has to be a file that its user may read, in a folder that its user may open: ls -ld it and its folder, then chmod or chown",
    });
  }
}

/**
 * The mode that is set; else that of the flag given; else password where there is one anywhere, else token. Both sides ask for a
 * password before a token in the same way, so that a token here and a password there do not make them differ.
 */
function decideSecret(
  mode: GatewaySecret["mode"] | undefined,
  flags: Pair,
  pairs: readonly Pair[],
): GatewaySecret | undefined {
  const first = (kind: GatewaySecret["mode"]) =>
    [flags, ...pairs].map((pair) => pair[kind]).find((it) => it !== undefined);
  if (mode !== undefined) return first(mode);
  return flags.password ?? flags.token ?? first("password") ?? first("token");
}

/** Makes the token file: 24 random bytes as hex, readable by its owner alone. @returns the new token. */
export async function createGatewayToken(tokenFile: string, ids: Ids): Promise<GatewaySecret> {
  const value = ids.secret(24);
  await ensureFolder(dirname(tokenFile));
  await writeFileAtomic(tokenFile, `${value}\n`);
  return { mode: "token", value, source: tokenFile };
}
