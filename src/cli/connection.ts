// From flags, environment and config to an open client: which Gateway, with which secret.

import { existsSync } from "node:fs";

import { checkAddress, isLoopback, toGatewayKey, type PlainHosts } from "../client/address.ts";
import { connect, type ConnectOptions, type GatewayClient } from "../client/connect.ts";
import { Fault } from "../base/fault.ts";
import { resolveClientSecret, type GatewaySecret } from "../config/secret.ts";
import { firmGround } from "../config/stand-in.ts";
import { invalid, openConfig, type ConfigSnapshot } from "../config/store.ts";
import { decidePort, tlsFiles, type PortChoice } from "../platform/paths.ts";
import type { Config } from "../settings/config.ts";
import { decideLocalHost } from "./bind-host.ts";
import { configFiles } from "./config-files.ts";
import type { Context } from "./context.ts";

export interface GatewayTarget {
  readonly url: string;
  /** For texts: `--url`, `gateway.remote.url`, or where the port came from. */
  readonly source: string;
  readonly port: PortChoice | undefined;
  readonly secret: GatewaySecret | undefined;
  /** SHA-256 of the one certificate that is taken; absent: any that the system trusts. */
  readonly fingerprint?: string | undefined;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Undefined when the file has errors: what was last good stands in, as in the Gateway itself, or the defaults. */
  readonly snapshot: ConfigSnapshot | undefined;
  readonly fault: Fault | undefined;
}

/** Reads the config without keeping a copy; errors in it are reported, not thrown, and what stands in is the Gateway's. */
export async function readConfig(context: Context): Promise<LoadedConfig> {
  const store = await openConfig(configFiles(context), firmGround);
  const snapshot = store.snapshot();
  if (snapshot.isValid) return { config: store.current(), snapshot, fault: undefined };
  return { config: store.current(), snapshot: undefined, fault: invalid(snapshot) };
}

export async function findGateway(context: Context, config: Config): Promise<GatewayTarget> {
  const { env, flags, paths } = context;
  const secret = await resolveClientSecret({ flags, config, env, tokenFile: paths.gatewayToken });
  const remote = config.gateway.mode === "remote" ? config.gateway.remote?.url : undefined;
  const fingerprint = (url: string) => findFingerprint(context, config, url);
  if (flags.url !== undefined) {
    const isOurs = flags.url === remote || isLoopback(flags.url);
    const isGiven = secret !== undefined && isTyped(secret);
    // a secret that is kept here belongs to the Gateway it is kept for, and goes to no other
    const own = isOurs || isGiven ? secret : undefined;
    return { url: flags.url, source: "--url", port: undefined, secret: own, fingerprint: await fingerprint(flags.url) };
  }
  if (remote) {
    const pinned = await fingerprint(remote);
    return { url: remote, source: "gateway.remote.url", port: undefined, secret, fingerprint: pinned };
  }
  return { ...(await findLocal(context, config)), secret };
}

async function findLocal(context: Context, config: Config): Promise<Omit<GatewayTarget, "secret">> {
  const { env, paths } = context;
  const port =
    (await findRunning(context)) ?? decidePort({ env, configured: config.gateway.port, profile: paths.profile });
  const scheme = config.gateway.tls?.enabled === true ? "wss" : "ws";
  const url = `${scheme}://${decideLocalHost(config.gateway)}:${port.port}`;
  const source = port.source === "running" ? "port of the running Gateway" : `port from ${port.source}`;
  return { url, source, port, fingerprint: await findFingerprint(context, config, url) };
}

/** Of a Gateway elsewhere as the config has it, of the one on this machine as its certificate says. */
async function findFingerprint(context: Context, { gateway }: Config, url: string): Promise<string | undefined> {
  if (!url.startsWith("wss:")) return undefined;
  if (url === gateway.remote?.url) return gateway.remote.tlsFingerprint;
  const isHere = isLoopback(url) || new URL(url).hostname === decideLocalHost(gateway);
  if (!isHere || gateway.tls?.enabled !== true) return undefined;
  const { readFingerprint } = await import("../platform/tls-files.ts");
  return readFingerprint(tlsFiles(context.paths, gateway.tls).certPath);
}

/** The Gateway of this state folder may have been started with another `--port` than this command knows of. */
async function findRunning(context: Context): Promise<PortChoice | undefined> {
  if (context.env.get("GATEWAY_PORT") !== undefined) return undefined;
  const { openMachine } = await import("./machine.ts");
  const running = await openMachine(context).instances.list();
  const own = running.find(({ state }) => state === context.paths.state);
  return own === undefined ? undefined : { port: own.ports.gateway, source: "running" };
}

const isTyped = ({ source }: GatewaySecret) => source === "--token" || source === "--password";

export interface OpenOptions {
  readonly scopes: readonly string[];
  readonly timeoutMs: number;
  readonly mode?: string;
  /** Absent: the Gateway that flags, environment and config point at. */
  readonly target?: GatewayTarget;
  /** Nothing is written on this machine, not even the key of a device that has none yet. */
  readonly isLooking?: boolean;
  /** For what has an effect: it must not go where a config with errors points by chance. */
  readonly needsValidConfig?: boolean;
}

/** @throws Fault when there is no secret, no Gateway, or it refuses. */
export async function openClient(context: Context, options: OpenOptions): Promise<GatewayClient> {
  if (options.target) return openClientAt(context, options.target, options);
  const { config, fault } = await readConfig(context);
  if (fault && options.needsValidConfig === true) throw configInvalid(fault);
  if (fault) context.out.error(`warning: ${fault.message}`);
  return openClientAt(context, await findGateway(context, config), options);
}

function configInvalid(fault: Fault): Fault {
  const [, ...problems] = fault.message.split("\n");
  return new Fault("config_invalid", ["Config invalid:", ...problems].join("\n"), {
    cause: fault,
    ...(fault.next ? { next: fault.next } : {}),
  });
}

async function openClientAt(context: Context, target: GatewayTarget, options: OpenOptions): Promise<GatewayClient> {
  const { clock, ids } = context;
  const { url, secret, fingerprint } = target;
  const plainHosts = decidePlainHosts(context, target);
  const unsafe = checkAddress(url, plainHosts);
  if (unsafe) throw unsafe;
  const device = await findDevice(context, secret, options);
  if (!secret && !(await hasToken(device, url))) throw noSecret(context, target);
  // commands that look at files alone do without it
  const { openNodeSocket, pinNodeSocket } = await import("../client/node-socket.ts");
  try {
    return await connect({
      url,
      openSocket: fingerprint === undefined ? openNodeSocket : pinNodeSocket(fingerprint),
      auth: secret ? { [secret.mode]: secret.value } : {},
      scopes: options.scopes,
      client: { id: "cli", mode: options.mode ?? "cli", version: context.version, platform: process.platform },
      ...(device ? { device } : {}),
      insistsOnAuth: secret !== undefined && isTyped(secret),
      plainHosts,
      newId: () => ids.uuid(),
      clock,
      timeoutMs: options.timeoutMs,
    });
  } catch (error) {
    throw error instanceof Fault ? explain(error, context, target) : error;
  }
}

async function findDevice(
  context: Context,
  secret: GatewaySecret | undefined,
  { isLooking }: OpenOptions,
): Promise<ConnectOptions["device"]> {
  // one that is made only now has no token yet, and a profile by a slip of the hand gets no folder
  const mayMake = isLooking !== true && secret !== undefined;
  if (!mayMake && !existsSync(context.paths.deviceIdentity)) return undefined;
  const { openDevice } = await import("./device.ts");
  return openDevice(context);
}

/** What goes to an address of this machine does not leave it; a person may vouch for the names of their own network. */
function decidePlainHosts({ env }: Context, { port }: GatewayTarget): PlainHosts {
  if (port) return "any";
  return env.get("ALLOW_INSECURE_PRIVATE_WS") === "1" ? "named" : "private";
}

async function hasToken(device: ConnectOptions["device"], url: string): Promise<boolean> {
  if (!device) return false;
  const key = { gateway: toGatewayKey(url), deviceId: device.identity.deviceId, role: "operator" };
  return (await device.tokens.load(key)) !== undefined;
}

function noSecret({ flags, command }: Context, { url }: GatewayTarget): Fault {
  return new Fault("unauthorized", `no token or password for ${url} is known here`, {
    next: flags.url
      ? "pass --token or --password: what is kept here is for another Gateway"
      : `start a Gateway once on this machine (${command("gateway")}), or pass --token`,
  });
}

/** The client knows the protocol; where things came from, and what to type next, is known here. */
function explain(fault: Fault, { command }: Context, { source, port, secret }: GatewayTarget): Fault {
  const again = (message: string, next: string) =>
    new Fault(fault.code, message, { cause: fault, next, details: fault.details ?? {} });
  if (fault.retryAfterMs !== undefined)
    return again(fault.message, `try again in ${Math.ceil(fault.retryAfterMs / 1000)} s`);
  if (fault.code === "not_paired")
    return again(fault.message, fault.next ?? `approve this device there: ${command(approval(fault))}`);
  if (fault.code === "unauthorized" && secret) {
    const side = port ? "the one that the Gateway was started with" : "the Gateway's";
    return again(
      `${fault.message}; the ${secret.mode} used is that of ${secret.source}`,
      `make it ${side}, or pass --${secret.mode}`,
    );
  }
  if (fault.code !== "unreachable" && fault.code !== "timeout") return fault;
  const next = port ? adviseHere(fault, command) : "check the address, and that a Gateway listens there";
  return again(`${fault.message} (${source})`, fault.message.includes("closed (") ? (fault.next ?? next) : next);
}

/** Of this machine's own: one that has the port and says nothing is not helped by another start. */
const adviseHere = ({ code }: Fault, command: Context["command"]) =>
  code === "timeout"
    ? `it is busy or stuck: ${command("gateway status")} names the process that has the port; ${command("gateway --force")} ends it and starts anew`
    : `start it with ${command("gateway")}`;

/** Its id comes from the other side, and goes into a line that is typed. */
function approval({ details }: Fault): string {
  const id = String(details?.["requestId"]);
  return /^[A-Za-z0-9][\w.:-]{0,127}$/u.test(id) ? `devices approve ${id}` : "devices approve";
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
