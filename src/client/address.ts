// Where a Gateway is: which address is which, and whether a secret may travel there.

import { Fault } from "../base/fault.ts";

/** One text for one Gateway: scheme, host and port; tokens are kept by it. */
export function toGatewayKey(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}

export function isLoopback(url: string): boolean {
  return isLoopbackHost(hostOf(url));
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/\.$/u, "") : "";
}

const isLoopbackHost = (host: string) =>
  host === "localhost" || host === "[::1]" || host.startsWith("[::ffff:7f") || /^127\.\d+\.\d+\.\d+$/u.test(host);

/** Which hosts may be spoken to without TLS: private networks; names that are no address as well; any. */
export type PlainHosts = "private" | "named" | "any";

/**
 * Without TLS everybody on the way reads the secret and all that is said. So `ws://` reaches this machine, private and
 * link-local addresses, a tailnet (which encrypts by itself) and `.local` names, and more only where somebody allowed it.
 * @returns the Fault of an address that must not be connected to.
 */
export function checkAddress(url: string, plain: PlainHosts): Fault | undefined {
  if (!URL.canParse(url) || !/^wss?:$/u.test(new URL(url).protocol)) {
    return new Fault("usage", `not a WebSocket URL: ${url}`, {
      field: "--url",
      next: "write it as ws://127.0.0.1:18789",
    });
  }
  const host = hostOf(url);
  if (new URL(url).protocol === "wss:" || plain === "any" || isLoopbackHost(host) || isPrivate(host)) return undefined;
  const isName = !host.startsWith("[") && !/^[\d.]+$/u.test(host);
  if (plain === "named" && isName) return undefined;
  return new Fault("usage", `${host} is not on a private network: over ws:// the secret could be read on the way`, {
    field: "--url",
    next: "use wss://, or a tunnel: ssh -N -L 18789:127.0.0.1:18789 <host>",
  });
}

/** URLs have their addresses in one form only: decimal, or short lower-case hex in brackets. */
const privateHosts: readonly RegExp[] = [
  /\.(?:local|ts\.net)$/u,
  /^(?:10|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d+){2,3}$/u,
  // carrier-grade NAT: a tailnet's addresses
  /^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])(?:\.\d+){2}$/u,
  // fc00::/7, a tailnet's fd7a:… among them, and fe80::/10
  /^\[(?:f[cd][\da-f]{2}|fe[89ab][\da-f]):/u,
];

const isPrivate = (host: string) => privateHosts.some((pattern) => pattern.test(host));
