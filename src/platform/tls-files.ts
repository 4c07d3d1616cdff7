// Key and certificate of the port, from their files; made when there are none and that is allowed.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmod } from "node:fs/promises";
import { dirname } from "node:path";

import { Fault } from "../base/fault.ts";
import { createCertificate, type CertificateRequest } from "./certificate.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "./files.ts";
import type { TlsFiles } from "./paths.ts";

/** A certificate that ends within this time is told. */
export const soonDays = 14;

export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
  /** SHA-256, as `AB:CD:…`. */
  readonly fingerprint: string;
  /** ms since the epoch */
  readonly startsAt: number;
  readonly expiresAt: number;
}

/** @param made what to make when both files are missing; undefined: nothing. @throws Fault `config_invalid` with the key at fault. */
export async function loadTls(files: TlsFiles, made: CertificateRequest | undefined): Promise<TlsMaterial> {
  const { certPath, keyPath, caPath } = files;
  const [cert, key] = await Promise.all([read(certPath, "certPath"), read(keyPath, "keyPath")]);
  if (cert === undefined && key === undefined && made) {
    const { cert: newCert, key: newKey } = createCertificate(made);
    await save(keyPath, newKey, 0o600);
    await save(certPath, newCert, 0o644);
    return check({ cert: newCert, key: newKey, ca: undefined }, files);
  }
  if (cert === undefined) throw missing(certPath, "certPath");
  if (key === undefined) throw missing(keyPath, "keyPath");
  const ca = caPath === undefined ? undefined : await read(caPath, "caPath");
  if (caPath !== undefined && ca === undefined) throw missing(caPath, "caPath");
  return check({ cert, key, ca }, files);
}

/** undefined when there is no certificate that can be read. Never throws. */
export async function readFingerprint(certPath: string): Promise<string | undefined> {
  try {
    const cert = await readTextIfExists(certPath);
    return cert === undefined ? undefined : new X509Certificate(cert).fingerprint256;
  } catch {
    return undefined;
  }
}

async function read(path: string, key: string): Promise<string | undefined> {
  try {
    return await readTextIfExists(path);
  } catch (error) {
    throw wrong(key, `${path} cannot be read: ${messageOf(error)}`, "give the user that runs the Gateway the right to");
  }
}

async function save(path: string, text: string, mode: number): Promise<void> {
  await ensureFolder(dirname(path));
  await writeFileAtomic(path, text, { mode });
  await chmod(path, mode);
}

function check(pems: Pick<TlsMaterial, "cert" | "key" | "ca">, { certPath, keyPath }: TlsFiles): TlsMaterial {
  const certificate = attempt(
    () => new X509Certificate(pems.cert),
    (why) => wrong("certPath", `${certPath} is no certificate: ${why}`, "it has to be a PEM file"),
  );
  const key = attempt(
    () => createPrivateKey(pems.key),
    (why) => wrong("keyPath", `${keyPath} is no private key: ${why}`, "it has to be a PEM file without a passphrase"),
  );
  if (!certificate.checkPrivateKey(key))
    throw wrong("keyPath", `${keyPath} is not the key of ${certPath}`, "name two files that belong together");
  const { fingerprint256: fingerprint, validFrom, validTo } = certificate;
  return { ...pems, fingerprint, startsAt: Date.parse(validFrom), expiresAt: Date.parse(validTo) };
}

function attempt<T>(task: () => T, toFault: (why: string) => Fault): T {
  try {
    return task();
  } catch (error) {
    throw toFault(messageOf(error));
  }
}

function missing(path: string, key: string): Fault {
  return wrong(
    key,
    `${path} is not there`,
    "put it there; when both key and certificate are gone, autoGenerate makes them",
  );
}

function wrong(key: string, message: string, next: string): Fault {
  return new Fault("config_invalid", `TLS: ${message}`, { field: `gateway.tls.${key}`, next });
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
