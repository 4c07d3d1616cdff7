// Bus events -> every connection that may see them. A payload is serialised once, whoever gets it.

import type { Bus } from "../platform/bus.ts";
import { eventTable, type EventRow } from "../protocol/generated/methods.ts";
import { mayReceive } from "./auth/scopes.ts";
import type { Connection } from "./connection.ts";

export interface StateVersion {
  readonly presence: number;
  readonly health: number;
}

export interface BroadcastDependencies {
  readonly bus: Bus;
  readonly connections: () => Iterable<Connection>;
  readonly stateVersion: () => StateVersion;
}

/** @returns a function that ends it. */
export function startBroadcast({ bus, connections, stateVersion }: BroadcastDependencies): () => void {
  return bus.subscribe(({ name, payload }) => {
    const row: EventRow = eventTable[name];
    const isVersioned = name === "presence" || name === "health";
    let event: Parameters<Connection["broadcast"]>[0] | undefined;
    for (const connection of connections()) {
      if (!mayReceive(row, connection.caller)) continue;
      event ??= {
        name,
        payloadJson: JSON.stringify(payload),
        stateVersionJson: isVersioned ? JSON.stringify(stateVersion()) : undefined,
        isDroppable: row.isDroppable,
      };
      connection.broadcast(event);
    }
  });
}
