// A connected node as the rest of the Gateway reaches it. The gateway room makes links, the nodes room uses them.

import type { EventName, EventPayload } from "../protocol/contract.ts";
import type { Caller } from "./method.ts";

export interface NodeLink {
  /** The device's id, else the client's. */
  readonly nodeId: string;
  readonly connId: string;
  /** With its `node`. */
  readonly caller: Caller;
  /** Sends an event to this node alone, without `seq`. @returns false when it could not be written. */
  notify<Name extends EventName>(event: Name, payload: EventPayload<Name>): boolean;
  close(code: number, reason: string): void;
}

/** Told of every connection of role `node`, once it has its hello and once it is gone. */
export interface NodeLinks {
  attach(link: NodeLink): void;
  detach(connId: string): void;
}
