// One connected client: what may be sent to it, in which form, and what happens when it reads too slowly.

import type { WebSocket } from "ws";

import type { Fault } from "../base/fault.ts";
import { faultCodes } from "../base/fault.ts";
import { truncateUtf8 } from "../base/text.ts";
import type { ErrorShape } from "../protocol/frame.ts";
import type { Caller } from "../ports/method.ts";
import { droppingFromBytes, maxBufferedBytes } from "./limits.ts";

/** An event for many, serialised once. */
export interface Broadcast {
  readonly name: string;
  readonly payloadJson: string;
  readonly stateVersionJson: string | undefined;
  /** A later event makes up for it. */
  readonly isDroppable: boolean;
}

export interface Connection {
  readonly caller: Caller;
  readonly connectedAt: number;
  /** Aborts when the connection closes. */
  readonly signal: AbortSignal;
  /** Requests under way. */
  pending: number;
  /** @throws what `JSON.stringify` does for a payload that is no JSON; nothing was sent then. */
  respond(id: string, payload: unknown): void;
  refuse(id: string, fault: Fault): void;
  /**
   * `seq` is counted here: 1, 2, 3 … without holes, whatever others may see. An event that is dropped for slowness takes no
   * number (R28); one that tells a state (it has a version) is sent as it was last, once the client has read on.
   */
  broadcast(event: Broadcast): void;
  /** For this client alone; takes no number. @returns false when the socket is closing or reads too slowly. */
  notify(event: string, payload: unknown): boolean;
  close(code: number, reason: string): void;
}

/** Unread bytes from which it is watched when they are written: far fewer than those from which events are dropped. */
const watchedFromBytes = 64 * 1024;

/** The part of a socket that a connection needs. */
export type ClientSocket = Pick<WebSocket, "readyState" | "OPEN" | "bufferedAmount" | "send" | "close"> & {
  once(event: "close", listener: () => void): unknown;
};

export function createConnection(socket: ClientSocket, caller: Caller, connectedAt: number): Connection {
  const controller = new AbortController();
  let seq = 0;
  /** States that this client was not told of, by event. */
  const late = new Map<string, Broadcast>();
  socket.once("close", () => controller.abort());

  const isOpen = () => socket.readyState === socket.OPEN;
  /** Memory for a client that does not read has an end. */
  const isTooSlow = () => {
    if (socket.bufferedAmount <= maxBufferedBytes) return false;
    closeSocket(socket, 1008, "slow consumer");
    return true;
  };
  const write = (text: string) =>
    socket.send(text, socket.bufferedAmount + text.length > watchedFromBytes ? catchUp : undefined);
  const send = (text: string) => {
    if (isOpen() && !isTooSlow()) write(text);
  };
  const emit = ({ name, payloadJson, stateVersionJson }: Broadcast) => {
    seq += 1;
    const version = stateVersionJson === undefined ? "" : `,"stateVersion":${stateVersionJson}`;
    write(`{"type":"event","event":"${name}","payload":${payloadJson},"seq":${seq}${version}}`);
  };
  /** Runs whenever something of a long queue has gone out. */
  const catchUp = () => {
    if (late.size === 0 || !isOpen() || socket.bufferedAmount > droppingFromBytes) return;
    const events = [...late.values()];
    late.clear();
    events.forEach(emit);
  };
  return {
    caller,
    connectedAt,
    signal: controller.signal,
    pending: 0,
    respond: (id, payload) => send(JSON.stringify({ type: "res", id, ok: true, payload })),
    refuse: (id, fault) => send(renderRefusal(id, fault, caller.protocol)),
    broadcast(event) {
      if (!isOpen()) return;
      if (event.isDroppable && socket.bufferedAmount > droppingFromBytes) {
        if (event.stateVersionJson !== undefined) late.set(event.name, event);
        return;
      }
      if (isTooSlow()) return;
      late.delete(event.name);
      emit(event);
    },
    notify(event, payload) {
      if (!isOpen() || isTooSlow()) return false;
      write(JSON.stringify({ type: "event", event, payload }));
      return true;
    },
    close: (code, reason) => closeSocket(socket, code, reason),
  };
}

/** Closes; the server cuts off a peer that does not answer the close. */
export function closeSocket(socket: Pick<WebSocket, "close">, code: number, reason: string): void {
  // the protocol allows 123 bytes; a cut must not split a character
  socket.close(code, truncateUtf8(reason, 120));
}

/** The error answer. Clients of protocol 3 drop a frame whose error has a key they do not know. */
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
    ...(fault.retryAfterMs === undefined ? {} : { retryAfterMs: Math.max(0, Math.ceil(fault.retryAfterMs)) }),
  };
}
