// Who is at the other end, as the socket itself tells. A header can make a peer less trusted, never more (S15).

import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";

export interface Peer {
  /** Address of the socket's other end; IPv4 also where the system writes it as IPv6. */
  readonly address: string;
  /** What limits are counted by: all that one stranger could hold at once, such as a whole IPv6 network of 64 bits. */
  readonly source: string;
  /** A program on this machine that does not speak for somebody elsewhere. */
  readonly isLocal: boolean;
}

const forwarding = /^(?:forwarded|via|x-real-ip|x-forwarded-.+|cf-connecting-ip|tailscale-.+)$/u;

export function peerOf(
  request: Pick<IncomingMessage, "headers"> & { readonly socket: { readonly remoteAddress?: string | undefined } },
): Peer {
  const address = (request.socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/u, "");
  const isLoopback = address === "::1" || address.startsWith("127.");
  const isForwarded = Object.keys(request.headers).some((name) => forwarding.test(name));
  return {
    address,
    // strangers behind a proxy on this machine must not use up the budget of its owner, who connects directly
    source: `${networkOf(address)}${isForwarded ? " through a proxy" : ""}`,
    isLocal: isLoopback && !isForwarded,
  };
}

function networkOf(address: string): string {
  const [plain = ""] = address.split("%");
  if (!isIPv6(plain) || plain === "::1") return plain;
  const [head = "", tail] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  const last = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - last.length);
  return `${[...groups, ...Array.from({ length: zeros }, () => "0"), ...last].slice(0, 4).join(":")}::/64`;
}
