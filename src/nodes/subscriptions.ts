// Which sessions a connected node follows: their `chat` and `agent` events go to it directly.

import { Fault } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";
import type { Bus, BusEvent } from "../platform/bus.ts";
import type { NodeLink } from "../ports/node-link.ts";

export interface Subscriptions {
  /** @throws Fault `overloaded` when the node follows too many. */
  add(link: NodeLink, sessionKey: string): void;
  remove(connId: string, sessionKey: string): void;
  drop(connId: string): void;
  /** Begins handing on. @returns a function that ends it. */
  start(bus: Pick<Bus, "subscribe">): () => void;
}

/** Sessions that one node may follow. */
const maxSessions = 64;

export function createSubscriptions(): Subscriptions {
  const followers = new Map<string, { readonly link: NodeLink; readonly sessions: Set<string> }>();

  const handOn = ({ name, payload }: BusEvent) => {
    if ((name !== "chat" && name !== "agent") || followers.size === 0 || !isRecord(payload)) return;
    const sessionKey = String(payload["sessionKey"]);
    for (const { link, sessions } of followers.values())
      // the bus carries what was published under this name
      if (sessions.has(sessionKey)) link.notify(name, payload as never);
  };

  return {
    add(link, sessionKey) {
      const entry = followers.get(link.connId) ?? { link, sessions: new Set<string>() };
      if (entry.sessions.size >= maxSessions && !entry.sessions.has(sessionKey))
        throw new Fault("overloaded", `a node follows at most ${maxSessions} sessions`, {
          next: "unsubscribe from another first",
        });
      followers.set(link.connId, entry);
      entry.sessions.add(sessionKey);
    },
    remove(connId, sessionKey) {
      followers.get(connId)?.sessions.delete(sessionKey);
    },
    drop: (connId) => void followers.delete(connId),
    start: (bus) => bus.subscribe(handOn),
  };
}
