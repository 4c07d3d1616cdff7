// What a device signs when it connects, and how its key is written. Pure, and without a Node import: the Gateway that verifies,
// Node and browsers build the same text from the same params. Signing, hashing and verifying are the caller's.

import { Fault } from "../base/fault.ts";

/** 1: no nonce, for Gateways that send no challenge. 2: with the nonce. 3: with platform and device family too. */
export type DevicePayloadVersion = 1 | 2 | 3;

/** The part of `connect` that is signed. */
export interface SignedParams {
  readonly client: {
    readonly id: string;
    readonly mode: string;
    readonly platform?: string | undefined;
    readonly deviceFamily?: string | undefined;
  };
  readonly role?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly auth?: DeviceSecrets | undefined;
}

interface DeviceSecrets {
  readonly token?: string | undefined;
  readonly deviceToken?: string | undefined;
  readonly bootstrapToken?: string | undefined;
}

/** The part of `connect.device` that is signed. */
export interface SignedDevice {
  readonly id: string;
  /** ms; the challenge's `ts` where there is one. */
  readonly signedAt: number;
  /** The challenge's; absent counts as empty. */
  readonly nonce?: string | undefined;
}

/**
 * The text to sign, as UTF-8. Scopes are those that are sent, in their order, before any default of the Gateway; a password is
 * never part of it.
 * @throws Fault `invalid_params` for a field with a separator in it: two different devices could be read from one text. The
 * token may have one, it can still be told from its neighbours.
 */
export function buildDevicePayload(version: DevicePayloadVersion, params: SignedParams, device: SignedDevice): string {
  const { client, scopes = [], role = "operator" } = params;
  const plain = (field: string, value: string) => refuseSeparator(field, value, "|");
  const fields = [
    `v${version}`,
    plain("device.id", device.id),
    plain("client.id", client.id),
    plain("client.mode", client.mode),
    plain("role", role),
    scopes.map((scope) => refuseSeparator("scopes", plain("scopes", scope), ",")).join(","),
    String(device.signedAt),
    signedToken(params.auth),
  ];
  if (version >= 2) fields.push(plain("device.nonce", device.nonce ?? ""));
  if (version >= 3) {
    fields.push(plain("client.platform", normalize(client.platform)));
    fields.push(plain("client.deviceFamily", normalize(client.deviceFamily)));
  }
  return fields.join("|");
}

/** The credential that goes into the signature: the first of these that is sent, or nothing. */
export function signedToken(auth: DeviceSecrets | undefined): string {
  return auth?.token ?? auth?.deviceToken ?? auth?.bootstrapToken ?? "";
}

function refuseSeparator(field: string, value: string, separator: string): string {
  if (!value.includes(separator)) return value;
  throw new Fault("invalid_params", `${field} must not contain "${separator}"`, { field });
}

/** ASCII only: what a Gateway in another language would do, too. */
function normalize(value = ""): string {
  return value.trim().replaceAll(/[A-Z]/gu, (letter) => letter.toLowerCase());
}

/** Without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/u, "");
}

/** Base64url or base64, with padding or without. @returns undefined for anything else. */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  const plain = text
    .replaceAll("-", "+")
    .replaceAll("_", "/")
    .replace(/={1,2}$/u, "");
  if (!/^[A-Za-z0-9+/]*$/u.test(plain) || plain.length % 4 === 1) return undefined;
  return Uint8Array.from(atob(plain), (character) => character.charCodeAt(0));
}

/** Bytes of a raw Ed25519 public key. */
const publicKeyBytes = 32;

/** What stands before the raw key in its SPKI form (RFC 8410). */
const spkiPrefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const pemPattern = /^-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]{1,200})-----END PUBLIC KEY-----$/u;

/** The raw Ed25519 key from base64url, base64 or a PEM of its SPKI form. @returns undefined when it is none of them. */
export function parsePublicKey(text: string): Uint8Array<ArrayBuffer> | undefined {
  const pem = pemPattern.exec(text.trim())?.[1];
  if (pem === undefined) {
    const raw = decodeBase64Url(text.trim());
    return raw?.length === publicKeyBytes ? raw : undefined;
  }
  const der = decodeBase64Url(pem.replaceAll(/\s/gu, ""));
  const isEd25519 =
    der?.length === spkiPrefix.length + publicKeyBytes && spkiPrefix.every((byte, i) => der[i] === byte);
  return isEd25519 ? der.slice(spkiPrefix.length) : undefined;
}

/** A raw public key in SPKI form: what `createPublicKey` and WebCrypto import. */
export function toSpki(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...spkiPrefix, ...raw]);
}

/** The device's id: lower-case hex of the SHA-256 of its raw public key. */
export function toDeviceId(sha256: Uint8Array): string {
  return Array.from(sha256, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
