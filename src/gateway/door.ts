// What every connect is judged by, from the config as it is at that moment.

import type { IncomingMessage } from "node:http";

import type { GatewaySecret } from "../config/secret.ts";
import type { Config } from "../settings/config.ts";
import type { Limiter } from "./auth/limiter.ts";
import { isGatewaysOwnPage } from "./auth/origin.ts";
import { createSecretCheck } from "../base/secret-check.ts";
import type { Devices } from "./devices/devices.ts";
import type { ConnectContext } from "./handshake.ts";
import type { Peer } from "./peer.ts";

export interface DoorDependencies {
  readonly limiter: Limiter;
  readonly secret: () => Pick<GatewaySecret, "mode" | "value">;
  readonly gateway: () => Pick<Config["gateway"], "controlUi" | "trustedProxies">;
  readonly devices: Devices;
  /** A command as its owner types it. */
  readonly command: (words: string) => string;
  readonly tailscaleLogin: (request: IncomingMessage) => Promise<string | undefined>;
}

export interface Door {
  judge(request: IncomingMessage, peer: Peer): Omit<ConnectContext, "nonce" | "now">;
  trustedProxies(): readonly string[];
}

export function createDoor({ limiter, secret, gateway, devices, command, tailscaleLogin }: DoorDependencies): Door {
  const guard = () => ({ mode: secret().mode, isSecret: createSecretCheck(secret().value) });
  return {
    trustedProxies: () => gateway().trustedProxies ?? [],
    judge: (request, peer) => ({
      guard: guard(),
      limiter,
      devices,
      source: peer.source,
      isLocal: peer.isLocal,
      isOwnPage: isGatewaysOwnPage(request.headers.origin, request.headers.host),
      remoteIp: peer.isLocal || peer.address === "" ? undefined : peer.address,
      isInsecureUiAllowed: gateway().controlUi.allowInsecureAuth === true,
      approveCommand: (requestId) => command(`devices approve ${requestId}`),
      tailscaleLogin: () => tailscaleLogin(request),
    }),
  };
}
