// One socket to a Gateway: requests and their answers, events in their order, and the end. Knows frames, not what they mean.

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";
import { closed, foreign, toFault, unreachable } from "./faults.ts";
import type { ClientSocket } from "./socket.ts";

export interface CallOptions {
  /** 0: no limit. */
  readonly timeoutMs: number;
  /** Wait for the second answer of a method that answers twice. */
  readonly isFinal?: boolean;
  /** Gets the first answer, while the second is waited for. */
  readonly onAccepted?: (payload: Readonly<Record<string, unknown>>) => void;
}

/** Events were missed: numbers `expected` to `received - 1`. */
export interface Gap {
  readonly expected: number;
  readonly received: number;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
  /** What calls under way were told. */
  readonly fault: Fault;
}

export interface LinkOptions {
  readonly url: string;
  readonly newId: () => string;
  readonly clock: Clock;
  /** Every event from the first, before those who asked for it by name. */
  readonly onEvent?: ((event: string, payload: unknown) => void) | undefined;
}

export interface Link {
  request(method: string, params: unknown, options: CallOptions): Promise<unknown>;
  on(event: string, listener: (payload: unknown) => void): () => void;
  onGap(listener: (gap: Gap) => void): () => void;
  /** Called once; at once when it is closed already. */
  onClose(listener: (closed: Closed) => void): () => void;
  /** When the last frame came, on the monotonic clock. */
  heardAt(): number;
  /** Ends at once, without waiting for the other side. `fault` is what calls under way are told. */
  close(code?: number, reason?: string, fault?: Fault): void;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  readonly isFinal: boolean;
  readonly onAccepted: CallOptions["onAccepted"];
  readonly stopTimer: () => void;
}

export function createLink(socket: ClientSocket, options: LinkOptions): Link {
  const { clock, url } = options;
  const waiting = new Map<string, Waiting>();
  const events = createEvents(options);
  const closeListeners = new Set<(closed: Closed) => void>();
  let heardAt = clock.monotonic();
  let end: Closed | undefined;

  const finish = (closing: Closed) => {
    if (end) return;
    end = closing;
    for (const entry of waiting.values()) {
      entry.stopTimer();
      entry.reject(closing.fault);
    }
    waiting.clear();
    for (const listener of closeListeners) listener(closing);
  };
  const takeResponse = (frame: Record<string, unknown>) => {
    const { id, payload } = frame;
    // an object may have a toString that is none
    const entry = typeof id === "string" ? waiting.get(id) : undefined;
    if (typeof id !== "string" || !entry) return;
    if (entry.isFinal && frame["ok"] === true && isRecord(payload) && payload["status"] === "accepted") {
      entry.onAccepted?.(payload);
      return;
    }
    waiting.delete(id);
    entry.stopTimer();
    if (frame["ok"] === true) entry.resolve(payload);
    else entry.reject(toFault(frame["error"]));
  };
  const close: Link["close"] = (code, reason, fault) => {
    const here = () =>
      code === undefined ? new Fault("unreachable", "the connection was closed here") : closed(code, reason ?? "");
    finish({ code: code ?? 1005, reason: reason ?? "", fault: fault ?? here() });
    socket.close(code, reason);
  };
  socket.onError((error) => finish({ code: 1006, reason: "", fault: unreachable(url, error) }));
  socket.onClose((code, reason) => finish({ code, reason, fault: closed(code, reason) }));
  socket.onMessage((text) => {
    if (end) return;
    heardAt = clock.monotonic();
    const frame = parseFrame(text);
    if (!frame) close(undefined, undefined, foreign(url));
    else if (frame["type"] === "res") takeResponse(frame);
    else events.take(frame);
  });

  return {
    request: (method, params, { timeoutMs, isFinal = false, onAccepted }) =>
      new Promise((resolve, reject) => {
        if (end) {
          reject(end.fault);
          return;
        }
        const id = options.newId();
        const stopTimer = startTimer(clock, timeoutMs, () => {
          waiting.delete(id);
          reject(
            new Fault("timeout", `${method}: no answer within ${timeoutMs} ms`, {
              next: "raise --timeout, or look at the Gateway's log",
            }),
          );
        });
        waiting.set(id, { resolve, reject, isFinal, onAccepted, stopTimer });
        socket.send(JSON.stringify({ type: "req", id, method, params }));
      }),
    on: events.on,
    onGap: events.onGap,
    onClose(listener) {
      if (end) listener(end);
      else closeListeners.add(listener);
      return () => closeListeners.delete(listener);
    },
    heardAt: () => heardAt,
    close,
  };
}

function createEvents({ onEvent }: LinkOptions) {
  const listeners = new Map<string, Set<(payload: unknown) => void>>();
  const gapListeners = new Set<(gap: Gap) => void>();
  const versions = new Map<string, number>();
  let lastSeq: number | undefined;

  /** Presence and health come whole: an older one after a newer one says nothing. */
  const isOutdated = (name: string, stateVersion: unknown) => {
    const version = isRecord(stateVersion) ? stateVersion[name] : undefined;
    if (typeof version !== "number") return false;
    if (version < (versions.get(name) ?? 0)) return true;
    versions.set(name, version);
    return false;
  };
  return {
    take(frame: Record<string, unknown>) {
      const { seq, payload } = frame;
      const name = typeof frame["event"] === "string" ? frame["event"] : "";
      // events to this socket alone have no number
      if (typeof seq === "number") {
        const expected = lastSeq === undefined ? seq : lastSeq + 1;
        lastSeq = seq;
        if (seq > expected) for (const listener of gapListeners) listener({ expected, received: seq });
      }
      if (isOutdated(name, frame["stateVersion"])) return;
      onEvent?.(name, payload);
      for (const listener of listeners.get(name) ?? []) listener(payload);
    },
    on(event: string, listener: (payload: unknown) => void) {
      const set = listeners.get(event) ?? new Set();
      listeners.set(event, set.add(listener));
      return () => void set.delete(listener);
    },
    onGap(listener: (gap: Gap) => void) {
      gapListeners.add(listener);
      return () => void gapListeners.delete(listener);
    },
  };
}

function parseFrame(text: string): Record<string, unknown> | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    return isRecord(frame) ? frame : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** @returns a function that stops it; a limit of 0 never comes. */
export function startTimer(clock: Clock, timeoutMs: number, task: () => void): () => void {
  if (timeoutMs <= 0) return () => {};
  const timer = clock.after(timeoutMs, task);
  return () => timer.cancel();
}
