// One connected client: what may be sent to it, in which form, and what happens when it reads too slowly.

import type { WebSocket } from "ws";

import type { Fault } from "../base/fault.ts";
import { faultCodes } from "../base/fault.ts";
import { truncateUtf8 } from "../base/text.ts";
import type { ErrorShape } from "../protocol/frame.ts";
import type { Caller } from "../ports/method.ts";
import { maxBufferedBytes } from "./limits.ts";

export interface Connection {
  readonly caller: Caller;
  readonly connectedAt: number;
  /** Aborts when the connection closes. */
  readonly signal: AbortSignal;
  /** Requests under way. */
  pending: number;
  respond(id: string, payload: unknown): void;
  refuse(id: string, fault: Fault): void;
  /**
   * A broadcast, already serialised. `seq` is counted here, so a client never sees a hole that it did not cause; an event that
   * is dropped for slowness takes no number.
   */
  broadcast(event: {
    name: string;
    payloadJson: string;
    stateVersionJson: string | undefined;
    isDroppable: boolean;
  }): void;
  close(code: number, reason: string): void;
}

export function createConnection(socket: WebSocket, caller: Caller, connectedAt: number): Connection {
  const controller = new AbortController();
  let seq = 0;
  socket.once("close", () => controller.abort());

  const send = (text: string) => {
    if (socket.readyState === socket.OPEN) socket.send(text);
  };
  return {
    caller,
    connectedAt,
    signal: controller.signal,
    pending: 0,
    respond: (id, payload) => send(JSON.stringify({ type: "res", id, ok: true, payload })),
    refuse: (id, fault) => send(renderRefusal(id, fault, caller.protocol)),
    broadcast({ name, payloadJson, stateVersionJson, isDroppable }) {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > maxBufferedBytes) {
        if (!isDroppable) closeSocket(socket, 1008, "slow consumer");
        return;
      }
      seq += 1;
      const version = stateVersionJson === undefined ? "" : `,"stateVersion":${stateVersionJson}`;
      socket.send(`{"type":"event","event":"${name}","payload":${payloadJson},"seq":${seq}${version}}`);
    },
    close: (code, reason) => closeSocket(socket, code, reason),
  };
}

/** Closes; a peer that does not answer the close is cut off. */
export function closeSocket(socket: WebSocket, code: number, reason: string): void {
  // the protocol allows 123 bytes; a cut must not split a character
  socket.close(code, truncateUtf8(reason, 120));
}

/** The error answer. Clients of protocol 3 drop a frame whose error has a code they do not know. */
export function renderRefusal(id: string, fault: Fault, protocol: number): string {
  const error = toErrorShape(fault, protocol);
  return JSON.stringify({
    type: "res",
    id,
    ok: false,
    ...(fault.payload === undefined ? {} : { payload: fault.payload }),
    error,
  });
}

function toErrorShape(fault: Fault, protocol: number): ErrorShape {
  const { wire, retryable } = faultCodes[fault.code];
  const extras = {
    reason: fault.code,
    ...(fault.field ? { field: fault.field } : {}),
    ...(fault.next ? { next: fault.next } : {}),
    ...fault.details,
  };
  return {
    code: wire === "FORBIDDEN" && protocol < 4 ? "INVALID_REQUEST" : wire,
    message: fault.message || "failed",
    details: extras,
    ...(retryable || fault.retryAfterMs !== undefined ? { retryable: true } : {}),
    ...(fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs }),
  };
}
