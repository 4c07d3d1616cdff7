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
      const frame: unknown = JSON.parse(text);
      if (!isRecord(frame)) return;
      if (frame["type"] === "res") takeResponse(frame);
      else if (frame["event"] === "connect.challenge") {
        request("connect", toConnectParams(options), { timeoutMs: 0 }).then(opened, giveUp);
      } else takeEvent(frame);
    });
  });
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

function toFault(error: unknown): Fault {
  const shape = isRecord(error) ? error : {};
  const details = isRecord(shape["details"]) ? shape["details"] : {};
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const next = text(details["next"]);
  const field = text(details["field"]);
  const reason = String(details["reason"]);
  // our own Gateway says more exactly what it means; others only have the protocol's codes
  const code = Object.hasOwn(faultCodes, reason)
    ? (reason as FaultCode)
    : (codeOfWire[String(shape["code"])] ?? "internal");
  return new Fault(code, text(shape["message"]) ?? "the Gateway refused", {
    details: { ...details, wireCode: shape["code"] },
    ...(next ? { next } : {}),
    ...(field ? { field } : {}),
    ...(typeof shape["retryAfterMs"] === "number" ? { retryAfterMs: shape["retryAfterMs"] } : {}),
  });
}

function unreachable(url: string, error: Error): Fault {
  return new Fault("unreachable", `no Gateway answers on ${url}: ${error.message || "connection failed"}`, {
    cause: error,
    next: "start it, or point at another with --url",
  });
}

function closed(code: number, reason: string): Fault {
  const next =
    code === 1008 && reason.includes("unauthorized")
      ? "check the token; `gateway status` shows which one is used"
      : undefined;
  return new Fault("unreachable", `gateway closed (${code}${reason ? `): ${reason}` : ")"}`, next ? { next } : {});
}
