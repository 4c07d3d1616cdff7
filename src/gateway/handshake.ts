// Judges `connect`: protocol, role, device, credentials, pairing, scopes, in the order and with the codes that both generations of
// clients know. What a client claims never counts; what it proves, and what its owner approved, does.

import { Fault } from "../base/fault.ts";
import type { ConnectParams } from "../protocol/connect.ts";
import { encodeBase64Url, parsePublicKey } from "../protocol/device-auth.ts";
import { decideProtocol, expectedProtocol, minProtocol } from "../protocol/version.ts";
import { grantScopes } from "./auth/scopes.ts";
import { checkCredentials, type AuthMethod, type CredentialContext } from "./credentials.ts";
import type { Knock } from "./devices/admit.ts";
import { checkDevice } from "./devices/device-signature.ts";
import type { Devices } from "./devices/devices.ts";
import type { DeviceDetails, DeviceRequest, Role } from "./devices/store.ts";

export interface Granted {
  readonly protocol: number;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly method: AuthMethod;
  readonly device?: { readonly id: string; readonly token: string; readonly issuedAtMs: number };
}

/** Why a connection is refused: the error answered, then the close. */
export interface Refusal {
  readonly fault: Fault;
  readonly closeCode: number;
}

export type ConnectDecision = { readonly granted: Granted } | { readonly refusal: Refusal };

export interface ConnectContext extends CredentialContext {
  readonly devices: Pick<Devices, "isToken" | "hasToken" | "admit">;
  readonly nonce: string;
  readonly now: number;
  /** A program on this machine that speaks for nobody else. */
  readonly isLocal: boolean;
  /** No page of another origin is behind it, though that may be allowed to connect. */
  readonly isOwnPage: boolean;
  /** Absent for local peers. */
  readonly remoteIp: string | undefined;
  /** Lets the Control UI in without a device, where browsers cannot have one: over plain HTTP. */
  readonly isInsecureUiAllowed: boolean;
  readonly approveCommand: (requestId: string) => string;
}

const refuse = (fault: Fault, closeCode = 1008): ConnectDecision => ({ refusal: { fault, closeCode } });

export async function decideConnect(params: ConnectParams, context: ConnectContext): Promise<ConnectDecision> {
  const protocol = decideProtocol(params.minProtocol, params.maxProtocol);
  if (protocol === undefined) return refuse(mismatch(params), 1002);

  const role = params.role ?? "operator";
  if (role !== "operator" && role !== "node")
    return refuse(new Fault("invalid_params", "invalid role", { field: "role" }));

  const { device } = params;
  const deviceFault = device && checkDevice(params, device, context);
  if (deviceFault) return refuse(deviceFault);

  const method = await checkCredentials(params, device && { id: device.id, role }, context);
  if (method instanceof Fault) return refuse(method);
  const granted: Granted = { protocol, role, scopes: decideScopes(params, { protocol, role }), method };
  if (!device) {
    const fault = refuseWithoutDevice(params, granted, context);
    return fault ? refuse(fault) : { granted };
  }

  return admitDevice(params, toKnock(params, device, { granted, context }), { granted, context });
}

async function admitDevice(
  params: ConnectParams,
  knock: Knock,
  { granted, context }: { granted: Granted; context: ConnectContext },
): Promise<ConnectDecision> {
  const admission = await context.devices.admit(knock).catch((error: unknown) => {
    if (error instanceof Fault && error.code === "storage") return error;
    throw error;
  });
  if (admission instanceof Fault) {
    // a disk that is full keeps nobody out who would come in without a device
    const isLetIn = knock.isOwnerPresent && refuseWithoutDevice(params, granted, context) === undefined;
    return isLetIn ? { granted } : refuse(admission, 1013);
  }
  if (admission.outcome === "pending") return refuse(pairingRequired(admission.request, context));
  const { token, issuedAtMs } = admission;
  return { granted: { ...granted, device: { id: knock.deviceId, token, issuedAtMs } } };
}

function toKnock(
  params: ConnectParams,
  device: NonNullable<ConnectParams["device"]>,
  { granted, context }: { granted: Granted; context: ConnectContext },
): Knock {
  const isSecretShown = granted.method === "token" || granted.method === "password";
  return {
    deviceId: device.id,
    // checkDevice has read it
    publicKey: encodeBase64Url(parsePublicKey(device.publicKey) ?? new Uint8Array()),
    details: toDetails(params, context.remoteIp),
    role: granted.role,
    scopes: granted.scopes,
    isOwnerPresent: context.isLocal && context.isOwnPage && isSecretShown,
  };
}

/**
 * The holder of the shared secret is the owner: without a device, what is asked for is granted. With one, it is what the device was
 * approved for, or a request for more.
 */
function decideScopes(
  { scopes }: ConnectParams,
  { protocol, role }: { protocol: number; role: Role },
): readonly string[] {
  if (role === "node") return [];
  // an empty list means all to the older generation, and only the newer one lists what it wants
  if (scopes && (scopes.length > 0 || protocol >= 4)) return grantScopes(scopes);
  return protocol === 4 ? [] : ["operator.admin"];
}

function mismatch(params: ConnectParams): Fault {
  return new Fault("protocol_mismatch", "protocol mismatch", {
    details: {
      code: "PROTOCOL_MISMATCH",
      clientMinProtocol: params.minProtocol,
      clientMaxProtocol: params.maxProtocol,
      expectedProtocol,
      minimumProbeProtocol: minProtocol,
    },
  });
}

function refuseWithoutDevice(
  { client }: ConnectParams,
  { role, method }: Pick<Granted, "role" | "method">,
  { isInsecureUiAllowed }: ConnectContext,
): Fault | undefined {
  if (client.id === "openclaw-control-ui" && !isInsecureUiAllowed) {
    return new Fault("invalid_params", "control ui requires HTTPS or localhost (secure context)", {
      next: "open it by https:// or on localhost, or set gateway.controlUi.allowInsecureAuth",
      details: { code: "CONTROL_UI_DEVICE_IDENTITY_REQUIRED" },
    });
  }
  // a node is its device, and a tailnet login says which person it is, not which program
  if (role === "operator" && method !== "tailscale") return undefined;
  return new Fault("not_paired", "device identity required", {
    field: "device",
    next: "connect with a device identity, so that it can be approved",
    details: { code: "DEVICE_IDENTITY_REQUIRED" },
  });
}

function toDetails({ client }: ConnectParams, remoteIp: string | undefined): DeviceDetails {
  const { displayName, deviceFamily, modelIdentifier } = client;
  return {
    platform: client.platform,
    clientId: client.id,
    clientMode: client.mode,
    ...(displayName ? { displayName } : {}),
    ...(deviceFamily ? { deviceFamily } : {}),
    ...(modelIdentifier ? { modelIdentifier } : {}),
    ...(remoteIp ? { remoteIp } : {}),
  };
}

const reasonTexts: Readonly<Record<DeviceRequest["reason"], string>> = {
  "not-paired": "device is not approved yet",
  "role-upgrade": "device is not approved for this role yet",
  "scope-upgrade": "device asks for more than it was approved for",
};

function pairingRequired(request: DeviceRequest, { approveCommand }: ConnectContext): Fault {
  const { requestId, reason, deviceId, role, scopes } = request;
  return new Fault("not_paired", `pairing required: ${reasonTexts[reason]} (requestId: ${requestId})`, {
    next: `approve it on the Gateway's machine: ${approveCommand(requestId)}`,
    details: {
      code: "PAIRING_REQUIRED",
      reason,
      requestId,
      deviceId,
      requestedRole: role,
      requestedScopes: scopes,
      remediationHint: approveCommand(requestId),
      // whoever waits comes in by itself once it is approved
      pauseReconnect: false,
      recommendedNextStep: "wait_then_retry",
    },
  });
}
