// Who is at the other end, as the socket itself tells. A header can make a peer less trusted, never more (S15).

import type { IncomingMessage } from "node:http";
import { isIP, isIPv6 } from "node:net";

export interface Peer {
  /** Address of the socket's other end; IPv4 also where the system writes it as IPv6. */
  readonly address: string;
  /** What limits are counted by: all that one stranger could hold at once, such as a whole IPv6 network of 64 bits. */
  readonly source: string;
  /** A program on this machine that does not speak for somebody elsewhere. */
  readonly isLocal: boolean;
}

const forwarding = /^(?:forwarded|via|x-real-ip|x-forwarded-.+|cf-connecting-ip|tailscale-.+)$/u;

type PeerRequest = Pick<IncomingMessage, "headers"> & {
  readonly socket: { readonly remoteAddress?: string | undefined };
};

/** `trustedProxies`: addresses whose X-Forwarded-For is believed, for limits and records; nobody becomes local by it. */
export function peerOf(request: PeerRequest, trustedProxies: readonly string[] = []): Peer {
  const socketAddress = plainAddress(request.socket.remoteAddress ?? "");
  const isLoopback = socketAddress === "::1" || socketAddress.startsWith("127.");
  const isForwarded = Object.keys(request.headers).some((name) => forwarding.test(name));
  const client = trustedProxies.includes(socketAddress) ? clientBehind(request, trustedProxies) : undefined;
  const address = client ?? socketAddress;
  return {
    address,
    // strangers behind a proxy on this machine must not use up the budget of its owner, who connects directly
    source: `${networkOf(address)}${isForwarded && client === undefined ? " through a proxy" : ""}`,
    isLocal: isLoopback && !isForwarded && isLocalName(request.headers.host),
  };
}

const plainAddress = (address: string) => address.replace(/^::ffff:(?=\d+\.)/u, "");

/** The nearest address that is none of our proxies: what stands before it anybody may have written. */
function clientBehind({ headers }: PeerRequest, trustedProxies: readonly string[]): string | undefined {
  const list = headers["x-forwarded-for"] ?? headers["x-real-ip"] ?? "";
  const addresses = (Array.isArray(list) ? list.join(",") : list).split(",").map((part) => plainAddress(part.trim()));
  const nearest = addresses.findLast((address) => !trustedProxies.includes(address));
  return nearest !== undefined && isIP(nearest) !== 0 ? nearest : undefined;
}

/** A program that calls this machine by a name from a stranger's DNS was led here by a page. */
function isLocalName(host: string | undefined): boolean {
  const name = host?.replace(/:\d+$/u, "").toLowerCase() ?? "";
  return name === "localhost" || name === "[::1]" || /^127(?:\.\d{1,3}){3}$/u.test(name) || name.endsWith(".ts.net");
}

/** What one stranger has whole: an address, or an IPv6 network of 64 bits. */
export function networkOf(address: string): string {
  const [plain = ""] = address.split("%");
  if (!isIPv6(plain) || plain === "::1") return plain;
  const [head = "", tail] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  const last = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - last.length);
  return `${[...groups, ...Array.from({ length: zeros }, () => "0"), ...last].slice(0, 4).join(":")}::/64`;
}
