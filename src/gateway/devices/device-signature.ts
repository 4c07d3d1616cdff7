// Does the device hold the key that it names, and did it sign this very connect? Three forms of the signed text are in use.

import { createHash, createPublicKey, verify } from "node:crypto";

import { Fault } from "../../base/fault.ts";
import type { ConnectParams } from "../../protocol/connect.ts";
import {
  buildDevicePayload,
  decodeBase64Url,
  parsePublicKey,
  toDeviceId,
  toSpki,
  type DevicePayloadVersion,
} from "../../protocol/device-auth.ts";

/** Older clients sign with their own clock. */
const maxSkewMs = 10 * 60_000;

export interface Challenge {
  readonly nonce: string;
  readonly now: number;
  /** Programs on this machine may be too old to know a nonce. */
  readonly isLocal: boolean;
}

type Claim = NonNullable<ConnectParams["device"]>;

/** @returns why the device is refused, in words that clients know; undefined when it is who it says. */
export function checkDevice(params: ConnectParams, device: Claim, challenge: Challenge): Fault | undefined {
  const key = parsePublicKey(device.publicKey);
  if (!key) return refuse("public key invalid", "PUBLIC_KEY_INVALID", "public-key");
  if (toDeviceId(createHash("sha256").update(key).digest()) !== device.id)
    return refuse("identity mismatch", "DEVICE_ID_MISMATCH", "id-mismatch");
  if (Math.abs(challenge.now - device.signedAt) > maxSkewMs)
    return refuse("signature expired", "SIGNATURE_EXPIRED", "signature-stale");
  if (device.nonce === undefined && !challenge.isLocal)
    return refuse("nonce required", "NONCE_REQUIRED", "nonce-missing");
  if (device.nonce !== undefined && device.nonce !== challenge.nonce)
    return refuse("nonce mismatch", "NONCE_MISMATCH", "nonce-mismatch");

  const signature = decodeBase64Url(device.signature);
  const publicKey = createPublicKey({ key: Buffer.from(toSpki(key)), format: "der", type: "spki" });
  const versions: readonly DevicePayloadVersion[] = device.nonce === undefined ? [1] : [3, 2];
  const isSigned = versions.some((version) => {
    const payload = tryPayload(version, params, device);
    return (
      payload !== undefined && signature?.length === 64 && verify(null, Buffer.from(payload), publicKey, signature)
    );
  });
  return isSigned ? undefined : refuse("signature invalid", "SIGNATURE_INVALID", "signature");
}

/** @returns undefined for params of which no text can be signed. */
function tryPayload(version: DevicePayloadVersion, params: ConnectParams, device: Claim): string | undefined {
  try {
    return buildDevicePayload(version, params, device);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

function refuse(what: string, code: string, reason: string): Fault {
  return new Fault("invalid_params", `device ${what}`, {
    field: "device",
    next: "connect again with a fresh signature over this connection's challenge",
    details: { code: `DEVICE_AUTH_${code}`, reason: `device-${reason}` },
  });
}
