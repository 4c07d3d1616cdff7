// Device tokens are derived from a key that this Gateway keeps in its credentials, so that the same one can be given again at
// every connect though only its hash is stored (S44): who reads the database learns none of them.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { dirname } from "node:path";

import { reasonOf } from "../../base/error-code.ts";
import { Fault } from "../../base/fault.ts";
import type { Ids } from "../../base/ids.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../../platform/files.ts";

export interface TokenKey {
  /** 43 characters of base64url. */
  derive(deviceId: string, role: string, salt: string): string;
}

/** Opens the key when it is needed first, and again when it could not be opened before. */
export function createTokenKeys(path: string, ids: Ids): () => Promise<TokenKey> {
  let opened: Promise<TokenKey> | undefined;
  return () => {
    opened ??= openTokenKey(path, ids).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}

/**
 * Reads the key, or makes it at the first use. A lost key costs nothing but new tokens at the next connect.
 * @throws Fault `storage` when it can be neither read nor made.
 */
export async function openTokenKey(path: string, ids: Ids): Promise<TokenKey> {
  const key = await findKey(path, ids).catch((cause: unknown) => {
    const reason = reasonOf(cause);
    throw new Fault("storage", `the key of device tokens can be neither read nor made: ${path} (${reason})`, {
      cause,
      next: "make its folder writable, with room on its disk",
    });
  });
  return {
    derive: (deviceId, role, salt) =>
      createHmac("sha256", key)
        .update(JSON.stringify([deviceId, role, salt]))
        .digest("base64url"),
  };
}

async function findKey(path: string, ids: Ids): Promise<string> {
  const known = (await readTextIfExists(path))?.trim();
  if (known) return known;
  const made = ids.secret(32);
  await ensureFolder(dirname(path));
  await writeFileAtomic(path, `${made}\n`);
  return made;
}

/** What is stored of a token. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** In constant time. */
export function isTokenOf(hash: string, presented: string): boolean {
  return timingSafeEqual(Buffer.from(hashToken(presented)), Buffer.from(hash));
}
