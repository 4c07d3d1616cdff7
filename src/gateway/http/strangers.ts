// Connections that have shown no credential: so many in all and from each address. One more is let in all the same, and the one that has
// been silent for longest is closed for it: a crowd of half requests keeps nobody out (S30).

import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";

import { maxSilent, maxSilentPerAddress } from "../limits.ts";
import { networkOf } from "../peer.ts";

export interface Strangers {
  /** Watches over the connections of a server, TLS or not. */
  attach(server: Server): void;
  /** A whole request has come. */
  spoke(request: IncomingMessage): void;
  /** It is none any more: it has shown a credential, or has become a WebSocket, which has limits of its own. */
  admit(request: IncomingMessage): void;
}

/** A connection by its ends: TLS has a socket of its own around the one that was accepted. */
const keyOf = ({ remoteAddress = "", remotePort = 0, localPort = 0 }: Socket) =>
  `${remoteAddress} ${remotePort} ${localPort}`;
const sourceOf = ({ remoteAddress = "" }: Socket) => networkOf(remoteAddress.replace(/^::ffff:(?=\d+\.)/u, ""));

export function createStrangers(): Strangers {
  /** By source; of each, those that spoke last stand last. */
  const sources = new Map<string, Map<string, Socket>>();
  let total = 0;

  const forget = (source: string, key: string): Socket | undefined => {
    const own = sources.get(source);
    const socket = own?.get(key);
    if (!own || !socket) return undefined;
    own.delete(key);
    total -= 1;
    if (own.size === 0) sources.delete(source);
    return socket;
  };
  const remember = (source: string, key: string, socket: Socket) => {
    const own = sources.get(source) ?? new Map<string, Socket>();
    own.set(key, socket);
    sources.set(source, own);
    total += 1;
  };
  const closeOldest = (source: string) => {
    const [key] = sources.get(source)?.keys() ?? [];
    if (key !== undefined) forget(source, key)?.destroy();
  };
  const largest = () => [...sources].reduce((most, one) => (one[1].size > most[1].size ? one : most))[0];

  return {
    attach(server) {
      server.on("connection", (socket: Socket) => {
        const source = sourceOf(socket);
        const key = keyOf(socket);
        remember(source, key, socket);
        socket.once("close", () => forget(source, key));
        if ((sources.get(source)?.size ?? 0) > maxSilentPerAddress) closeOldest(source);
        else if (total > maxSilent) closeOldest(largest());
      });
    },
    spoke({ socket }) {
      const [source, key] = [sourceOf(socket), keyOf(socket)];
      const known = forget(source, key);
      if (known) remember(source, key, known);
    },
    admit: ({ socket }) => void forget(sourceOf(socket), keyOf(socket)),
  };
}
