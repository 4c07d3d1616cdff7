// Which browser pages may talk to the Gateway, on every bind, loopback too (S2, S3). A page's origin must be the Gateway's own
// address, or be listed. A host *name* counts as our own only when it cannot be rebound by a stranger's DNS.

import { isIP } from "node:net";

/**
 * True when the request may go on. Requests without an Origin header do not come from a page.
 * `host` is the Host header, `allowed` the config's list.
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true;
  const normal = normalOrigin(origin);
  if (normal === undefined) return false;
  if (allowed.some((entry) => normalOrigin(entry) === normal)) return true;
  if (!/^https?:/u.test(normal)) return false;
  const url = new URL(normal);
  return url.host === host?.toLowerCase() && isUnspoofable(url.hostname);
}

/** True also for requests that no page makes. A page that is merely listed in the config is not the Gateway's own. */
export function isGatewaysOwnPage(origin: string | undefined, host: string | undefined): boolean {
  return isOriginAllowed(origin, host, []);
}

/**
 * A page under a name that a stranger's DNS points at us is, to its browser, our own page: what it fetches carries no Origin, only
 * that name. Programs that are no browser may call us what they like.
 */
export function isNameAllowed(
  host: string | undefined,
  userAgent: string | undefined,
  allowed: readonly string[],
): boolean {
  if (!userAgent?.startsWith("Mozilla/")) return true;
  const url = URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : undefined;
  if (!url) return false;
  return (
    isUnspoofable(url.hostname) || allowed.some((entry) => URL.canParse(entry) && new URL(entry).host === url.host)
  );
}

/** The config line that lets the page in, on one line; what a stranger sent is cut and quoted. */
export function renderOriginHelp(origin: string | undefined): string {
  const named = JSON.stringify(String(origin).slice(0, 200));
  return `origin not allowed: to let this page in, add it to the config as gateway.controlUi.allowedOrigins: [${named}]`;
}

/** Scheme, host and port in one spelling; undefined for what names no page (`null`, `*`). */
function normalOrigin(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.host === "") return undefined;
  // URL gives no origin to schemes of extensions and apps
  return url.origin === "null" ? `${url.protocol}//${url.host}` : url.origin;
}

/** An address, `localhost`, or a name that Tailscale gives out. */
function isUnspoofable(hostname: string): boolean {
  const bare = hostname.replaceAll(/^\[|\]$/gu, "");
  return isIP(bare) !== 0 || bare === "localhost" || bare.endsWith(".ts.net");
}
