// Bus events -> every connection that may see them. A payload is serialised once, whoever gets it.

import type { Bus, BusEvent } from "../platform/bus.ts";
import { eventTable, type EventRow } from "../protocol/generated/methods.ts";
import { mayReceive } from "./auth/scopes.ts";
import type { Broadcast, Connection } from "./connection.ts";

export interface StateVersion {
  readonly presence: number;
  readonly health: number;
}

export interface BroadcastDependencies {
  readonly bus: Pick<Bus, "subscribe">;
  readonly connections: () => Iterable<Pick<Connection, "caller" | "broadcast">>;
  readonly stateVersion: () => StateVersion;
}

/** @returns a function that ends it. */
export function startBroadcast({ bus, connections, stateVersion }: BroadcastDependencies): () => void {
  return bus.subscribe((event) => {
    const row: EventRow = eventTable[event.name];
    let broadcast: Broadcast | undefined;
    for (const connection of connections()) {
      if (!mayReceive(row, connection.caller)) continue;
      broadcast ??= toBroadcast(event, row, stateVersion);
      connection.broadcast(broadcast);
    }
  });
}

function toBroadcast({ name, payload }: BusEvent, row: EventRow, stateVersion: () => StateVersion): Broadcast {
  const isVersioned = name === "presence" || name === "health";
  return {
    name,
    payloadJson: JSON.stringify(payload),
    stateVersionJson: isVersioned ? JSON.stringify(stateVersion()) : undefined,
    isDroppable: row.isDroppable || isChatDelta({ name, payload }),
  };
}

/** Every delta carries the whole text so far, and the final event all of it. */
function isChatDelta({ name, payload }: Pick<BusEvent, "name" | "payload">): boolean {
  return (
    name === "chat" &&
    typeof payload === "object" &&
    payload !== null &&
    "state" in payload &&
    payload.state === "delta" &&
    "message" in payload
  );
}
