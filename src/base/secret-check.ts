// Comparing secrets: digests of equal length, in constant time, whatever was presented (S9).

import { createHash, timingSafeEqual } from "node:crypto";

const digest = (text: string) => createHash("sha256").update(text).digest();

/** @returns a function that tells whether a presented text is the secret. */
export function createSecretCheck(secret: string): (presented: string) => boolean {
  const expected = digest(secret);
  return (presented) => timingSafeEqual(digest(presented), expected);
}
