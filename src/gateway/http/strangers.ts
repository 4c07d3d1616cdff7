// Connections that have shown no credential: so many in all and from each address. One more is let in all the same, and the one that has
// been silent for longest is closed for it: a crowd of half requests keeps nobody out (S30).

import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";

import type { Clock } from "../../base/clock.ts";
import { maxSilent, maxSilentPerAddress } from "../limits.ts";
import { networkOf } from "../peer.ts";

export interface Strangers {
  /** Watches over the connections of a server, TLS or not. */
  attach(server: Server): void;
  /** A whole request has come. */
  spoke(request: IncomingMessage): void;
  /** It is none any more: it has shown a credential, or has become a WebSocket, which has limits of its own. */
  admit(request: IncomingMessage): void;
  /** It sent far too much ahead: who comes from there in the next seconds is read later, a few at a time. */
  slowDown(request: IncomingMessage): void;
}

/** No proxy sends requests ahead, so this is about that very address. What its connections send is looked at after a pause. */
const slowMs = 10_000;
const pauseMs = 1_000;
const maxPaused = 2;
/** Sources remembered; the oldest go first. */
const maxSlow = 1_000;

/** A connection by its ends: TLS has a socket of its own around the one that was accepted. */
const keyOf = ({ remoteAddress = "", remotePort = 0, localPort = 0 }: Socket) =>
  `${remoteAddress} ${remotePort} ${localPort}`;
const sourceOf = ({ remoteAddress = "" }: Socket) => networkOf(remoteAddress.replace(/^::ffff:(?=\d+\.)/u, ""));

export function createStrangers(clock: Clock): Strangers {
  /** By source; of each, those that spoke last stand last. */
  const sources = new Map<string, Map<string, Socket>>();
  let total = 0;
  const slow = new Map<string, { until: number; paused: number }>();

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

  /** False: it was closed instead. */
  const letIn = (source: string, socket: Socket): boolean => {
    const slowed = slow.get(source);
    if (!slowed) return true;
    if (slowed.paused === 0 && clock.monotonic() > slowed.until) {
      slow.delete(source);
      return true;
    }
    if (slowed.paused >= maxPaused) {
      socket.destroy();
      return false;
    }
    slowed.paused += 1;
    socket.pause();
    clock.after(pauseMs, () => {
      slowed.paused -= 1;
      socket.resume();
    });
    return true;
  };

  return {
    attach(server) {
      server.on("connection", (socket: Socket) => {
        const source = sourceOf(socket);
        if (!letIn(source, socket)) return;
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
    slowDown({ socket }) {
      const source = sourceOf(socket);
      const slowed = slow.get(source) ?? { until: 0, paused: 0 };
      slowed.until = clock.monotonic() + slowMs;
      slow.set(source, slowed);
      for (const oldest of slow.keys()) {
        if (slow.size <= maxSlow) break;
        slow.delete(oldest);
      }
    },
    admit: ({ socket }) => void forget(sourceOf(socket), keyOf(socket)),
  };
}
