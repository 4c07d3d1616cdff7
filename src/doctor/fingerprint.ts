// A secret's short name: the same secret has the same one, and nobody gets the secret back from it.

import { createHash } from "node:crypto";

/** Eight hex digits. */
export const fingerprint = (secret: string): string => createHash("sha256").update(secret).digest("hex").slice(0, 8);
