// From an open socket to hello-ok: the challenge, what is presented, and the device's signature over both.

import type { Clock } from "../base/clock.ts";
import { isRecord } from "../base/json.ts";
import type { HelloOk } from "../protocol/connect.ts";
import { buildDevicePayload, type DevicePayloadVersion } from "../protocol/device-auth.ts";
import { maxProtocol, minProtocol } from "../protocol/version.ts";
import type { DeviceIdentity } from "./device.ts";
import type { Link } from "./link.ts";

/** Gateways of the first generations send none. */
const challengeWaitMs = 750;

export interface ClientInfo {
  readonly id: string;
  readonly mode: string;
  readonly version: string;
  readonly platform: string;
  readonly displayName?: string;
  readonly deviceFamily?: string;
  readonly modelIdentifier?: string;
  readonly instanceId?: string;
}

export interface Introduction {
  readonly client: ClientInfo;
  /** `operator` when left out. */
  readonly role?: "operator" | "node";
  readonly scopes: readonly string[];
  readonly caps?: readonly string[];
  /** What a node offers. */
  readonly commands?: readonly string[];
  readonly permissions?: Readonly<Record<string, boolean>>;
  readonly pathEnv?: string;
  readonly locale?: string;
  readonly userAgent?: string;
}

/** What is presented: a secret that was configured, or the token that this Gateway gave the device. */
export type Presented =
  | { readonly kind: "secret"; readonly auth: { readonly token?: string; readonly password?: string } }
  | { readonly kind: "bootstrap"; readonly token: string }
  | { readonly kind: "device"; readonly token: string }
  | { readonly kind: "nothing" };

export interface Challenge {
  readonly nonce: string;
  readonly ts: number | undefined;
  /** Only the newer generation names any. */
  readonly isNewer: boolean;
}

/** @returns undefined when the Gateway sends none. Begin before the first frame can have come. */
export function awaitChallenge(link: Link, opened: Promise<void>, clock: Clock): Promise<Challenge | undefined> {
  return new Promise((resolve) => {
    const stop = link.on("connect.challenge", (payload) => {
      const nonce = isRecord(payload) ? payload["nonce"] : undefined;
      if (!isRecord(payload) || typeof nonce !== "string" || nonce === "") return;
      const { ts } = payload;
      stop();
      resolve({ nonce, ts: typeof ts === "number" ? ts : undefined, isNewer: Array.isArray(payload["capabilities"]) });
    });
    void opened.then(() =>
      clock.after(challengeWaitMs, () => {
        stop();
        resolve(undefined);
      }),
    );
  });
}

export interface Greeting {
  readonly introduction: Introduction;
  readonly presented: Presented;
  readonly identity: DeviceIdentity | undefined;
  readonly challenge: Challenge | undefined;
  readonly now: number;
}

/** @throws Fault as the Gateway refuses. */
export async function greet(link: Link, greeting: Greeting): Promise<HelloOk> {
  const params = await buildConnectParams(greeting);
  // hello-ok is what a Gateway answers to connect
  return (await link.request("connect", params, { timeoutMs: 0 })) as HelloOk;
}

async function buildConnectParams({ introduction, presented, identity, challenge, now }: Greeting) {
  const { client, role = "operator", scopes, caps = [], ...rest } = introduction;
  const auth = toAuth(presented, challenge);
  const params = { minProtocol, maxProtocol, client, caps, role, scopes, ...rest, auth };
  if (!identity) return params;
  const device = {
    id: identity.deviceId,
    // the Gateway compares with its own clock
    signedAt: challenge?.ts ?? now,
    ...(challenge ? { nonce: challenge.nonce } : {}),
  };
  const signature = await identity.sign(buildDevicePayload(decideVersion(challenge), params, device));
  return { ...params, device: { ...device, publicKey: identity.publicKey, signature } };
}

/** The older generation knows no third form, and no field for a device's token. */
function decideVersion(challenge: Challenge | undefined): DevicePayloadVersion {
  if (!challenge) return 1;
  return challenge.isNewer ? 3 : 2;
}

function toAuth(presented: Presented, challenge: Challenge | undefined) {
  switch (presented.kind) {
    case "secret":
      return presented.auth;
    case "bootstrap":
      return { bootstrapToken: presented.token };
    case "device":
      return challenge?.isNewer ? { deviceToken: presented.token } : { token: presented.token };
    case "nothing":
      return {};
  }
}
