// From flags, environment and config to an open client: which Gateway, with which secret.

import { connect, type GatewayClient } from "../client/connect.ts";
import { openNodeSocket } from "../client/node-socket.ts";
import { Fault } from "../base/fault.ts";
import { defaultConfig } from "../config/parse.ts";
import { resolveClientSecret, type GatewaySecret } from "../config/secret.ts";
import { openConfig, type ConfigSnapshot } from "../config/store.ts";
import { decidePort, type PortChoice } from "../platform/paths.ts";
import type { Config } from "../settings/config.ts";
import type { Context } from "./context.ts";

export interface GatewayTarget {
  readonly url: string;
  /** For texts: `--url`, `gateway.remote.url`, or where the port came from. */
  readonly source: string;
  readonly port: PortChoice | undefined;
  readonly secret: GatewaySecret | undefined;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Undefined when the file has errors: the defaults stand in, so that a broken file does not stop a look at the Gateway. */
  readonly snapshot: ConfigSnapshot | undefined;
  readonly fault: Fault | undefined;
}

/** Reads the config without keeping a copy; errors in it are reported, not thrown. */
export async function readConfig({ paths, env }: Context): Promise<LoadedConfig> {
  try {
    const store = await openConfig({ path: paths.config, variable: (name) => env.raw(name) });
    return { config: store.current(), snapshot: store.snapshot(), fault: undefined };
  } catch (error) {
    if (error instanceof Fault && error.code === "config_invalid")
      return { config: defaultConfig(), snapshot: undefined, fault: error };
    throw error;
  }
}

export async function findGateway(context: Context, config: Config): Promise<GatewayTarget> {
  const { env, flags, paths } = context;
  const secret = await resolveClientSecret({ flags, config, env, tokenFile: paths.gatewayToken });
  if (flags.url !== undefined) return { url: flags.url, source: "--url", port: undefined, secret };
  const remote = config.gateway.mode === "remote" ? config.gateway.remote?.url : undefined;
  if (remote) return { url: remote, source: "gateway.remote.url", port: undefined, secret };
  const port = decidePort({ env, configured: config.gateway.port, profile: paths.profile });
  return { url: `ws://127.0.0.1:${port.port}`, source: `port from ${port.source}`, port, secret };
}

export interface OpenOptions {
  readonly scopes: readonly string[];
  readonly timeoutMs: number;
  readonly mode?: string;
}

/** @throws Fault when there is no secret, no Gateway, or it refuses. */
export async function openClient(context: Context, options: OpenOptions): Promise<GatewayClient> {
  const { config } = await readConfig(context);
  return openClientAt(context, await findGateway(context, config), options);
}

export async function openClientAt(
  context: Context,
  target: GatewayTarget,
  options: OpenOptions,
): Promise<GatewayClient> {
  if (!URL.canParse(target.url) || !/^wss?:$/u.test(new URL(target.url).protocol)) {
    throw new Fault("usage", `not a WebSocket URL: ${target.url}`, {
      field: "--url",
      next: "write it as ws://127.0.0.1:18789",
    });
  }
  if (!target.secret) {
    throw new Fault("unauthorized", "no token or password for the Gateway is known here", {
      next: `start a Gateway once on this machine (${context.command("gateway")}), or pass --token`,
    });
  }
  const { mode, value } = target.secret;
  return connect({
    url: target.url,
    openSocket: openNodeSocket,
    auth: mode === "password" ? { password: value } : { token: value },
    scopes: options.scopes,
    client: { id: "cli", mode: options.mode ?? "cli", version: context.version, platform: process.platform },
    newId: () => context.ids.uuid(),
    clock: context.clock,
    timeoutMs: options.timeoutMs,
  });
}

/** Opens, runs, closes. */
export async function withClient<T>(
  context: Context,
  options: OpenOptions,
  task: (client: GatewayClient) => Promise<T>,
): Promise<T> {
  const client = await openClient(context, options);
  try {
    return await task(client);
  } finally {
    client.close();
  }
}

/** @throws Fault `usage` for anything but a whole number of ms. */
export function parseTimeout(text: string | undefined, fallbackMs: number): number {
  if (text === undefined) return fallbackMs;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Fault("usage", `not a time in ms: ${text}`, { field: "--timeout" });
}
