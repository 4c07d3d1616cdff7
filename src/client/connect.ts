// A client of the Gateway: one socket, typed calls, events. No Node import here: the socket comes from outside, so that browsers
// can use it too.

import type { Clock } from "../base/clock.ts";
import { Fault, faultCodes, type FaultCode } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";
import type { HelloOk } from "../protocol/connect.ts";
import type { EventName, EventPayload, MethodName, MethodParams, MethodResult } from "../protocol/contract.ts";
import { maxProtocol, minProtocol } from "../protocol/version.ts";

/** The part of a WebSocket that is used; Node's `ws` and browsers both have it. */
export interface ClientSocket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  onMessage(listener: (text: string) => void): void;
  onClose(listener: (code: number, reason: string) => void): void;
  onError(listener: (error: Error) => void): void;
}

export interface ConnectOptions {
  readonly url: string;
  readonly openSocket: (url: string) => ClientSocket;
  readonly auth: { readonly token?: string; readonly password?: string };
  readonly scopes: readonly string[];
  readonly client: {
    readonly id: string;
    readonly mode: string;
    readonly version: string;
    readonly platform: string;
    readonly displayName?: string;
    readonly instanceId?: string;
  };
  readonly newId: () => string;
  readonly clock: Clock;
  /** Until hello-ok, ms. */
  readonly timeoutMs: number;
}

export interface CallOptions {
  /** 0: no limit. */
  readonly timeoutMs: number;
  /** Wait for the second answer of a method that answers twice. */
  readonly isFinal?: boolean;
}

export interface GatewayClient {
  readonly hello: HelloOk;
  /** @throws Fault with the Gateway's code, or `timeout`, or `unreachable` when the connection goes. */
  call<Name extends MethodName>(
    method: Name,
    params: MethodParams<Name>,
    options: CallOptions,
  ): Promise<MethodResult<Name>>;
  /** The same for a method that the types do not know. */
  callAny(method: string, params: unknown, options: CallOptions): Promise<unknown>;
  on<Name extends EventName>(event: Name, listener: (payload: EventPayload<Name>) => void): () => void;
  /** An event was missed: refresh what was drawn from events. */
  onGap(listener: (gap: { expected: number; received: number }) => void): void;
  close(): void;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  readonly isFinal: boolean;
  readonly stopTimer: () => void;
}

/** @throws Fault `unreachable`, `timeout`, `unauthorized`, `protocol_mismatch` … with the next step to take. */
export function connect(options: ConnectOptions): Promise<GatewayClient> {
  const socket = options.openSocket(options.url);
  const waiting = new Map<string, Waiting>();
  const listeners = new Map<string, Set<(payload: never) => void>>();
  let onGap: ((gap: { expected: number; received: number }) => void) | undefined;
  let lastSeq: number | undefined;
  let closeFault: Fault | undefined;

  const request = (method: string, params: unknown, { timeoutMs, isFinal = false }: CallOptions): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (closeFault) {
        reject(closeFault);
        return;
      }
      const id = options.newId();
      const stopTimer = startTimer(options.clock, timeoutMs, () => {
        waiting.delete(id);
        reject(
          new Fault("timeout", `${method}: no answer within ${timeoutMs} ms`, {
            next: "raise --timeout, or look at the Gateway's log",
          }),
        );
      });
      waiting.set(id, { resolve, reject, isFinal, stopTimer });
      socket.send(JSON.stringify({ type: "req", id, method, params }));
    });

  const takeResponse = (frame: Record<string, unknown>) => {
    const entry = waiting.get(String(frame["id"]));
    if (!entry) return;
    const { payload } = frame;
    if (entry.isFinal && frame["ok"] === true && isRecord(payload) && payload["status"] === "accepted") return;
    waiting.delete(String(frame["id"]));
    entry.stopTimer();
    if (frame["ok"] === true) entry.resolve(payload);
    else entry.reject(toFault(frame["error"]));
  };
  const takeEvent = (frame: Record<string, unknown>) => {
    const { seq } = frame;
    if (typeof seq === "number") {
      if (lastSeq !== undefined && seq > lastSeq + 1) onGap?.({ expected: lastSeq + 1, received: seq });
      lastSeq = seq;
    }
    // listeners were registered under the event's name, for its payload
    for (const listener of listeners.get(String(frame["event"])) ?? []) listener(frame["payload"] as never);
  };
  const fail = (fault: Fault) => {
    closeFault ??= fault;
    for (const entry of waiting.values()) {
      entry.stopTimer();
      entry.reject(closeFault);
    }
    waiting.clear();
  };
  socket.onError((error) => fail(unreachable(options.url, error)));
  socket.onClose((code, reason) => fail(closed(code, reason)));

  return new Promise((resolve, reject) => {
    const stopTimer = startTimer(options.clock, options.timeoutMs, () => {
      socket.close();
      reject(
        new Fault("timeout", `no Gateway answered on ${options.url} within ${options.timeoutMs} ms`, {
          next: "check the address and that a Gateway listens there",
        }),
      );
    });
    const giveUp = (error: unknown) => {
      stopTimer();
      reject(error as Error);
    };
    const opened = (hello: unknown) => {
      stopTimer();
      resolve({
        // hello-ok is what a Gateway answers to connect
        hello: hello as HelloOk,
        // the Gateway validates what it sends against the same contract
        call: (method, params, callOptions) => request(method, params, callOptions) as Promise<never>,
        callAny: request,
        on(event, listener) {
          const set = listeners.get(event) ?? new Set();
          listeners.set(event, set.add(listener));
          return () => set.delete(listener);
        },
        onGap: (listener) => {
          onGap = listener;
        },
        close: () => socket.close(),
      });
    };
    socket.onError((error) => giveUp(unreachable(options.url, error)));
    socket.onClose((code, reason) => giveUp(closed(code, reason)));
    socket.onMessage((text) => {
      const frame = parseFrame(text);
      if (!frame) {
        const fault = foreign(options.url);
        fail(fault);
        giveUp(fault);
        socket.close();
      } else if (frame["type"] === "res") takeResponse(frame);
      else if (frame["event"] === "connect.challenge") {
        request("connect", toConnectParams(options), { timeoutMs: 0 }).then(opened, giveUp);
      } else takeEvent(frame);
    });
  });
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

function startTimer(clock: Clock, timeoutMs: number, task: () => void): () => void {
  if (timeoutMs <= 0) return () => {};
  const timer = clock.after(timeoutMs, task);
  return () => timer.cancel();
}

function toConnectParams({ client, auth, scopes }: ConnectOptions) {
  return { minProtocol, maxProtocol, client, caps: [], role: "operator", scopes, auth };
}

const codeOfWire: Readonly<Record<string, FaultCode>> = {
  NOT_LINKED: "not_linked",
  NOT_PAIRED: "not_paired",
  AGENT_TIMEOUT: "agent_timeout",
  INVALID_REQUEST: "invalid_params",
  FORBIDDEN: "forbidden",
  UNAVAILABLE: "agent_failed",
};

/** Every Gateway says this in words; only ours says it in `details.reason` too. */
const codeOfMessage: readonly (readonly [RegExp, FaultCode])[] = [
  [/^unauthorized\b/u, "unauthorized"],
  [/^protocol mismatch\b/u, "protocol_mismatch"],
];

function toFault(error: unknown): Fault {
  const shape = isRecord(error) ? error : {};
  const details = isRecord(shape["details"]) ? shape["details"] : {};
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const next = text(details["next"]);
  const field = text(details["field"]);
  const message = text(shape["message"]) ?? "the Gateway refused";
  return new Fault(decideCode(shape, details, message), message, {
    details: { ...details, wireCode: shape["code"] },
    ...(next ? { next } : {}),
    ...(field ? { field } : {}),
    ...(typeof shape["retryAfterMs"] === "number" ? { retryAfterMs: shape["retryAfterMs"] } : {}),
  });
}

function decideCode(shape: Record<string, unknown>, details: Record<string, unknown>, message: string): FaultCode {
  const reason = String(details["reason"]);
  // our own Gateway says more exactly what it means; others only have the protocol's codes
  if (Object.hasOwn(faultCodes, reason)) return reason as FaultCode;
  const known = codeOfMessage.find(([pattern]) => pattern.test(message))?.[1];
  const wire = String(shape["code"]);
  return known ?? (Object.hasOwn(codeOfWire, wire) ? codeOfWire[wire] : undefined) ?? "internal";
}

function foreign(url: string): Fault {
  return new Fault("unreachable", `what answers on ${url} is not a Gateway: it sent something that is no frame`, {
    next: "check the address",
  });
}

function unreachable(url: string, error: Error): Fault {
  return new Fault("unreachable", `no Gateway answers on ${url}: ${error.message || "connection failed"}`, {
    cause: error,
    next: "start it, or point at another with --url",
  });
}

const closeNames: Readonly<Record<number, string>> = {
  1000: "normal closure",
  1005: "no status",
  1006: "abnormal closure",
  1008: "policy violation",
  1009: "message too big",
  1011: "internal error",
  1012: "service restart",
  1013: "try again later",
};

function closed(code: number, reason: string): Fault {
  const name = closeNames[code];
  const text = `gateway closed (${code}${name ? ` ${name}` : ""}): ${reason === "" ? "no reason given" : reason}`;
  if (code === 1008 && reason.startsWith("unauthorized")) return new Fault("unauthorized", text);
  return new Fault("unreachable", text, code === 1012 ? { next: "it restarts: try again in a few seconds" } : {});
}
