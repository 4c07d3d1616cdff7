// Everything that clients may be told, on one timeline.

import type { Log } from "../base/log.ts";
import type { Publish } from "../ports/publish.ts";
import type { EventName } from "../protocol/contract.ts";

export interface BusEvent {
  readonly name: EventName;
  readonly payload: unknown;
  /** 1, 2, 3 … in order of publishing. */
  readonly seq: number;
}

export interface Bus {
  readonly publish: Publish;
  /**
   * Listeners are called in order of subscribing, within `publish`; one that throws stops neither the others nor the publisher.
   * What a listener publishes comes after the event it was told of, for every listener.
   */
  subscribe(listener: (event: BusEvent) => void): () => void;
}

export function createBus(log: Log): Bus {
  const listeners = new Set<(event: BusEvent) => void>();
  const waiting: BusEvent[] = [];
  let seq = 0;
  let isPublishing = false;

  const tell = (event: BusEvent) => {
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        log.error("a listener of the bus broke", { event: event.name, error });
      }
    }
  };

  return {
    publish(name, payload) {
      seq += 1;
      waiting.push({ name, payload, seq });
      if (isPublishing) return;
      isPublishing = true;
      for (let event = waiting.shift(); event; event = waiting.shift()) tell(event);
      isPublishing = false;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
