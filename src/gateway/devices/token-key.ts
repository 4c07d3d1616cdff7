// Device tokens are derived from a key that this Gateway keeps in its credentials, so that the same one can be given again at
// every connect though only its hash is stored (S44): who reads the database learns none of them.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { dirname } from "node:path";

import type { Ids } from "../../base/ids.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../../platform/files.ts";

export interface TokenKey {
  /** 43 characters of base64url. */
  derive(deviceId: string, role: string, salt: string): string;
}

/** Reads the key, or makes it at the first use. A lost key costs nothing but new tokens at the next connect. */
export async function openTokenKey(path: string, ids: Ids): Promise<TokenKey> {
  let secret = (await readTextIfExists(path))?.trim();
  if (!secret) {
    secret = ids.secret(32);
    await ensureFolder(dirname(path));
    await writeFileAtomic(path, `${secret}\n`);
  }
  const key = secret;
  return {
    derive: (deviceId, role, salt) =>
      createHmac("sha256", key)
        .update(JSON.stringify([deviceId, role, salt]))
        .digest("base64url"),
  };
}

/** What is stored of a token. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** In constant time. */
export function isTokenOf(hash: string, presented: string): boolean {
  return timingSafeEqual(Buffer.from(hashToken(presented)), Buffer.from(hash));
}
