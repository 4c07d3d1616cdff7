// The device's key pair in Node: a file of its own, made once and readable by its owner alone.

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from "node:crypto";

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";
import type { PrivateFiles } from "../ports/files.ts";
import { encodeBase64Url, toDeviceId } from "../protocol/device-auth.ts";
import type { DeviceIdentity } from "./device.ts";

export interface IdentityOptions {
  readonly path: string;
  readonly files: PrivateFiles;
  readonly clock: Pick<Clock, "now">;
}

/**
 * Reads it, or makes it when there is none; of several processes that make it at once all get the same.
 * @throws Fault `storage` for a file that holds no key pair: a new one would be another device, so it is not replaced.
 */
export async function openDeviceIdentity({ path, files, clock }: IdentityOptions): Promise<DeviceIdentity> {
  const text = await files.read(path);
  if (text !== undefined) return parseIdentity(text, path);
  const { privateKey } = generateKeyPairSync("ed25519");
  const identity = toIdentity(privateKey);
  if (await files.create(path, renderIdentity(identity, privateKey, clock.now()))) return identity;
  // another process was first
  return parseIdentity((await files.read(path)) ?? "", path);
}

function renderIdentity({ deviceId, publicKey }: DeviceIdentity, key: KeyObject, createdAtMs: number): string {
  const privateKeyPem = key.export({ format: "pem", type: "pkcs8" });
  return `${JSON.stringify({ version: 1, deviceId, publicKey, privateKeyPem, createdAtMs }, undefined, 2)}\n`;
}

function parseIdentity(text: string, path: string): DeviceIdentity {
  const file = parseObject(text);
  const key = typeof file?.["privateKeyPem"] === "string" ? parseKey(file["privateKeyPem"]) : undefined;
  const identity = key?.asymmetricKeyType === "ed25519" ? toIdentity(key) : undefined;
  if (identity && (file?.["deviceId"] ?? identity.deviceId) === identity.deviceId) return identity;
  throw new Fault("storage", `${path} holds no Ed25519 key pair of a device`, {
    next: "put back a copy, or move it away: a new device is made then, which has to be paired",
  });
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** @returns undefined for anything but a private key. */
function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL has a different error for each way in which this is none
    return undefined;
  }
}

function toIdentity(privateKey: KeyObject): DeviceIdentity {
  // the raw key is the end of its SPKI form
  const raw = createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(-32);
  return {
    deviceId: toDeviceId(createHash("sha256").update(raw).digest()),
    publicKey: encodeBase64Url(raw),
    sign: (text) => encodeBase64Url(sign(undefined, Buffer.from(text), privateKey)),
  };
}
