// A client of the Gateway: one socket, typed calls, events. No Node import here: the socket comes from outside, so that browsers
// can use it too. `reconnect` keeps one connected.

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { HelloOk } from "../protocol/connect.ts";
import type { EventName, EventPayload, MethodName, MethodParams, MethodResult } from "../protocol/contract.ts";
import { checkAddress, isLoopback, toGatewayKey, type PlainHosts } from "./address.ts";
import type { DeviceIdentity, DeviceTokenKey, DeviceTokens } from "./device.ts";
import { silent } from "./faults.ts";
import { awaitChallenge, greet, type Introduction, type Presented } from "./handshake.ts";
import { createLink, startTimer, type CallOptions, type Closed, type Gap, type Link } from "./link.ts";
import type { OpenSocket } from "./socket.ts";

export interface ConnectOptions extends Introduction {
  readonly url: string;
  readonly openSocket: OpenSocket;
  /** What the person configured; it goes before a device's token. `bootstrapToken` serves when there is none either. */
  readonly auth: { readonly token?: string; readonly password?: string; readonly bootstrapToken?: string };
  /** Absent: the client has no identity of its own. */
  readonly device?: { readonly identity: DeviceIdentity; readonly tokens: DeviceTokens };
  /** A wrong secret is told even where the device's token would do: somebody typed it just now. */
  readonly insistsOnAuth?: boolean;
  /** Which hosts may be reached without TLS; `private` when left out. */
  readonly plainHosts?: PlainHosts;
  readonly newId: () => string;
  readonly clock: Clock;
  /** Until hello-ok, ms. */
  readonly timeoutMs: number;
  /** Every event from the first one on, those before hello-ok among them. */
  readonly onEvent?: (event: string, payload: unknown) => void;
  /** Ends the connection, and an attempt at one. */
  readonly signal?: AbortSignal;
}

export interface Calls {
  /** @throws Fault with the Gateway's code, or `timeout`, or `unreachable` when the connection goes. */
  call<Name extends MethodName>(
    method: Name,
    params: MethodParams<Name>,
    options: CallOptions,
  ): Promise<MethodResult<Name>>;
  /** The same for a method that the types do not know. */
  callAny(method: string, params: unknown, options: CallOptions): Promise<unknown>;
  /** @returns a function that ends it. */
  on<Name extends EventName>(event: Name, listener: (payload: EventPayload<Name>) => void): () => void;
  /** An event was missed: refresh what was drawn from events. */
  onGap(listener: (gap: Gap) => void): () => void;
}

export interface GatewayClient extends Calls {
  readonly hello: HelloOk;
  /** Called once when the connection is gone, whoever ended it. */
  onClose(listener: (closed: Closed) => void): () => void;
  /** When the last frame came, ms of the monotonic clock. */
  heardAt(): number;
  close(code?: number, reason?: string): void;
}

/**
 * A token that this Gateway gave to the device is used when nothing else is configured, or when the Gateway asks for it; one that
 * it no longer takes is forgotten.
 * @throws Fault `unreachable`, `timeout`, `unauthorized`, `protocol_mismatch`, `not_paired`, `usage` for an address that must
 * not be used … with the next step to take.
 */
export async function connect(options: ConnectOptions): Promise<GatewayClient> {
  const unsafe = checkAddress(options.url, options.plainHosts ?? "private");
  if (unsafe) throw unsafe;
  const presented = await choosePresented(options);
  try {
    return await attempt(options, presented);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (presented.kind === "device" && isRejected(error)) await forget(options, presented.token);
    const other = presented.kind === "secret" && mayRetry(options, error) ? await loadToken(options) : undefined;
    if (other === undefined) throw error;
    return await retryAsDevice(options, other, error);
  }
}

/** The Gateway said that it knows this device: once more with the device's own token. */
async function retryAsDevice(options: ConnectOptions, token: string, first: Fault): Promise<GatewayClient> {
  try {
    return await attempt(options, { kind: "device", token });
  } catch (error) {
    if (!(error instanceof Fault) || !isRejected(error)) throw error;
    await forget(options, token);
    // what is configured is wrong, and that is what its owner can mend
    throw first;
  }
}

async function choosePresented(options: ConnectOptions): Promise<Presented> {
  const { token, password, bootstrapToken } = options.auth;
  if (token !== undefined || password !== undefined) {
    const auth = { ...(token === undefined ? {} : { token }), ...(password === undefined ? {} : { password }) };
    return { kind: "secret", auth };
  }
  const stored = await loadToken(options);
  if (stored !== undefined) return { kind: "device", token: stored };
  return bootstrapToken === undefined ? { kind: "nothing" } : { kind: "bootstrap", token: bootstrapToken };
}

function tokenKey({ url, device, role = "operator" }: ConnectOptions): DeviceTokenKey {
  return { gateway: toGatewayKey(url), deviceId: device?.identity.deviceId ?? "", role };
}

async function loadToken(options: ConnectOptions): Promise<string | undefined> {
  return (await options.device?.tokens.load(tokenKey(options)))?.token;
}

async function forget(options: ConnectOptions, token: string): Promise<void> {
  await options.device?.tokens.remove(tokenKey(options), token);
}

const rejections = new Set(["AUTH_DEVICE_TOKEN_MISMATCH", "AUTH_TOKEN_MISMATCH", "AUTH_PASSWORD_MISMATCH"]);

/** The credential itself was wrong; a limit of tries or a missing scope says nothing about it. */
function isRejected(fault: Fault): boolean {
  const code = fault.details?.["code"];
  if (fault.code !== "unauthorized") return false;
  return typeof code === "string" ? rejections.has(code) : /\bmismatch\b/u.test(fault.message);
}

/** Whoever can listen in must not learn a second credential for a wrong first one. */
function mayRetry({ url, insistsOnAuth = false }: ConnectOptions, fault: Fault): boolean {
  if (insistsOnAuth) return false;
  return fault.details?.["canRetryWithDeviceToken"] === true && (isLoopback(url) || url.startsWith("wss:"));
}

async function attempt(options: ConnectOptions, presented: Presented): Promise<GatewayClient> {
  const { url, clock, device, timeoutMs, signal } = options;
  if (signal?.aborted) throw new Fault("unreachable", "the connection was closed here");
  const socket = options.openSocket(url);
  const link = createLink(socket, options);
  const onAbort = () => link.close();
  signal?.addEventListener("abort", onAbort, { once: true });
  link.onClose(() => signal?.removeEventListener("abort", onAbort));
  const opened = new Promise<void>((resolve) => socket.onOpen(() => resolve()));
  const lost = new Promise<never>((_, reject) => link.onClose(({ fault }) => reject(fault)));
  const stopTimer = startTimer(clock, timeoutMs, () => link.close(undefined, undefined, silent(url, timeoutMs)));
  const enter = async () => {
    const challenge = await awaitChallenge(link, opened, clock);
    return greet(link, {
      introduction: toIntroduction(options),
      presented,
      identity: device?.identity,
      challenge,
      now: clock.now(),
    });
  };
  try {
    const hello = await Promise.race([enter(), lost]);
    await keepToken(options, hello);
    return toClient(link, hello);
  } catch (error) {
    link.close();
    throw error;
  } finally {
    stopTimer();
  }
}

function toIntroduction(options: ConnectOptions): Introduction {
  const { client, role, scopes, caps, commands, permissions, pathEnv, locale, userAgent } = options;
  return {
    client,
    scopes,
    ...(role ? { role } : {}),
    ...(caps ? { caps } : {}),
    ...(commands ? { commands } : {}),
    ...(permissions ? { permissions } : {}),
    ...(pathEnv === undefined ? {} : { pathEnv }),
    ...(locale === undefined ? {} : { locale }),
    ...(userAgent === undefined ? {} : { userAgent }),
  };
}

/** Stored before the client is used: a crash after the first call must not cost the pairing. */
async function keepToken(options: ConnectOptions, hello: HelloOk): Promise<void> {
  // a Gateway of the older generation says nothing here when it gives no token
  const auth: HelloOk["auth"] | undefined = hello.auth;
  if (!options.device || auth?.deviceToken === undefined) return;
  await options.device.tokens.save(tokenKey(options), { token: auth.deviceToken, scopes: auth.scopes });
}

function toClient(link: Link, hello: HelloOk): GatewayClient {
  return {
    hello,
    // the Gateway validates what it sends against the same contract
    call: (method, params, callOptions) => link.request(method, params, callOptions) as Promise<never>,
    callAny: link.request,
    // likewise
    on: (event, listener) => link.on(event, listener as (payload: unknown) => void),
    onGap: link.onGap,
    onClose: link.onClose,
    heardAt: link.heardAt,
    close: (code, reason) => link.close(code, reason),
  };
}
