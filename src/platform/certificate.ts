// A certificate that signs itself: X.509 version 3 (RFC 5280) in DER, over a new P-256 key. Node reads certificates and makes none.

import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";

export interface CertificateRequest {
  readonly commonName: string;
  /** Host names and IP addresses that clients will use. */
  readonly hosts: readonly string[];
  /** ms since the epoch */
  readonly from: number;
  readonly until: number;
}

export interface KeyAndCertificate {
  readonly key: string;
  readonly cert: string;
}

/** Takes some milliseconds, once in the life of an instance. */
export function createCertificate({ commonName, hosts, from, until }: CertificateRequest): KeyAndCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(oid(1, 2, 840, 10045, 4, 3, 2));
  const name = sequence(tlv(0x31, sequence(oid(2, 5, 4, 3), tlv(0x0c, Buffer.from(commonName)))));
  const body = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    algorithm,
    name,
    sequence(time(from), time(until)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    tlv(0xa3, sequence(...extensions(hosts))),
  );
  const signature = sign("sha256", body, privateKey);
  const der = sequence(body, algorithm, tlv(0x03, Buffer.from([0]), signature));
  return { key: String(privateKey.export({ type: "pkcs8", format: "pem" })), cert: toPem(der) };
}

/** Its own authority, and a server's: what clients ask for that trust it by hand. */
function extensions(hosts: readonly string[]): Buffer[] {
  const yes = tlv(0x01, Buffer.from([0xff]));
  const extension = (id: Buffer, value: Buffer, ...critical: readonly Buffer[]) =>
    sequence(id, ...critical, tlv(0x04, value));
  return [
    extension(oid(2, 5, 29, 19), sequence(yes), yes),
    // digitalSignature and keyCertSign
    extension(oid(2, 5, 29, 15), tlv(0x03, Buffer.from([2, 0x84])), yes),
    extension(oid(2, 5, 29, 37), sequence(oid(1, 3, 6, 1, 5, 5, 7, 3, 1))),
    extension(oid(2, 5, 29, 17), sequence(...hosts.map(toAlternativeName))),
  ];
}

function toAlternativeName(host: string): Buffer {
  if (isIPv4(host)) return tlv(0x87, Buffer.from(host.split(".").map(Number)));
  return isIPv6(host) ? tlv(0x87, ipv6Bytes(host)) : tlv(0x82, Buffer.from(host, "ascii"));
}

function ipv6Bytes(host: string): Buffer {
  // URL writes it without embedded IPv4 and with at most one gap
  const [head = "", tail] = new URL(`http://[${host}]`).hostname.slice(1, -1).split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const before = groups(head);
  const after = groups(tail ?? "");
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** Two digits of the year before 2050, four from then on. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/gu, "");
  return Number(digits.slice(0, 4)) < 2050
    ? tlv(0x17, Buffer.from(digits.slice(2), "ascii"))
    : tlv(0x18, Buffer.from(digits, "ascii"));
}

const sequence = (...parts: readonly Buffer[]) => tlv(0x30, ...parts);

/** Positive: the first bit is cleared, and no byte too many stands before the rest. */
function integer(bytes: Buffer): Buffer {
  const [first = 0, ...rest] = bytes;
  return tlv(0x02, Buffer.from([(first & 0x7f) | (bytes.length > 1 ? 0x40 : 0), ...rest]));
}

function oid(first: number, second: number, ...rest: readonly number[]): Buffer {
  const encode = (part: number): number[] => {
    const bytes = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) bytes.unshift((left & 0x7f) | 0x80);
    return bytes;
  };
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(encode)]));
}

function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), value]);
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}

function toPem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/gu) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
