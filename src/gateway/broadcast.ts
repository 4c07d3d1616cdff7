// Bus events -> every connection that may see them. A payload is serialised once, however many get it.

import { isRecord } from "../base/json.ts";
import type { Bus, BusEvent } from "../platform/bus.ts";
import { topicOf } from "../platform/topics.ts";
import type { Topics } from "../ports/topics.ts";
import { eventTable, type EventRow } from "../protocol/generated/methods.ts";
import type { HealthSnapshot } from "../protocol/contract.ts";
import { hasScope, mayReceive } from "./auth/scopes.ts";
import type { Broadcast, Connection } from "./connection.ts";
import { toBriefHealth } from "./health.ts";

export interface StateVersion {
  readonly presence: number;
  readonly health: number;
}

export interface BroadcastDependencies {
  readonly bus: Pick<Bus, "subscribe">;
  readonly connections: () => Iterable<Pick<Connection, "caller" | "broadcast">>;
  readonly stateVersion: () => StateVersion;
  /** Who asked for the events that only go to those who asked. */
  readonly topics: Pick<Topics, "has">;
  /** How many connections an event went to. */
  readonly onSent?: (event: BusEvent, clients: number) => void;
}

/** @returns a function that ends it. */
export function startBroadcast({ bus, connections, stateVersion, topics, onSent }: BroadcastDependencies): () => void {
  return bus.subscribe((event) => {
    const row: EventRow = eventTable[event.name];
    const topic = topicFor(event, row);
    const brief = toBrief(event);
    let broadcast: Broadcast | undefined;
    let briefBroadcast: Broadcast | undefined;
    let clients = 0;
    for (const connection of connections()) {
      const { caller } = connection;
      if (!mayReceive(row, caller)) continue;
      if (topic !== undefined && !topics.has(topic, caller.connId)) continue;
      clients += 1;
      if (brief && !hasScope(caller.scopes, "operator.read")) {
        briefBroadcast ??= toBroadcast(brief, row, stateVersion);
        connection.broadcast(briefBroadcast);
      } else {
        broadcast ??= toBroadcast(event, row, stateVersion);
        connection.broadcast(broadcast);
      }
    }
    if (clients > 0) onSent?.(event, clients);
  });
}

/** What those get who may not read; undefined: all get the same. */
function toBrief(event: BusEvent): BusEvent | undefined {
  if (event.name !== "health") return undefined;
  // the bus takes nothing else under this name
  return { ...event, payload: toBriefHealth(event.payload as HealthSnapshot) };
}

/** What a connection must have asked for; undefined: nothing. */
function topicFor({ name, payload }: BusEvent, row: EventRow): string | undefined {
  if (row.topic === undefined) return undefined;
  const key = row.topic === "session" && isRecord(payload) ? payload["sessionKey"] : undefined;
  return topicOf(name, typeof key === "string" ? key : undefined);
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
