// Which browser pages may talk to the Gateway, on every bind, loopback too (S2, S3). A page's origin must be the Gateway's own
// address, or be listed. A host *name* counts as our own only when it cannot be rebound by a stranger's DNS.

import { isIP } from "node:net";

/**
 * True when the request may go on. Requests without an Origin header do not come from a page.
 * `host` is the Host header.
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true;
  const url = parseOrigin(origin);
  if (!url) return false;
  if (allowed.some((entry) => parseOrigin(entry)?.origin === url.origin)) return true;
  return url.host === host?.toLowerCase() && isUnspoofable(url.hostname);
}

function parseOrigin(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === "http:" || url?.protocol === "https:" ? url : undefined;
}

/** An address, `localhost`, or a name that Tailscale gives out. */
function isUnspoofable(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/gu, "");
  return isIP(bare) !== 0 || bare === "localhost" || bare.endsWith(".ts.net");
}
