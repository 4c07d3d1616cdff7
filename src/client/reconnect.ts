// A client that stays connected: it comes back after every loss, notices a dead line and missed events, and stops only where
// trying again cannot help. What it draws from events is refreshed by `onRefresh`; nothing is replayed.

import type { BackoffPolicy } from "../base/backoff.ts";
import type { Timer } from "../base/clock.ts";
import { Fault, toFault } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";
import type { HelloOk } from "../protocol/connect.ts";
import { connect, type Calls, type ConnectOptions, type GatewayClient } from "./connect.ts";
import type { CallOptions, Gap } from "./link.ts";
import { decideRetry, reconnectPolicy } from "./retry.ts";
import { createTurnstile } from "./turnstile.ts";
import { startWatchdog } from "./watchdog.ts";

export interface SteadyOptions extends Omit<ConnectOptions, "onEvent" | "signal"> {
  /** 1 s doubling to 30 s when left out. */
  readonly backoff?: BackoffPolicy;
  readonly random?: () => number;
  /** How long a call waits for a connection, ms; 10 s when left out, 0: not at all. */
  readonly waitMs?: number;
}

export type SteadyState =
  | { readonly state: "connecting" }
  | { readonly state: "connected"; readonly hello: HelloOk }
  | { readonly state: "waiting"; readonly delayMs: number; readonly fault: Fault }
  /** For good. `fault` is undefined after `close`. */
  | { readonly state: "stopped"; readonly fault: Fault | undefined };

/**
 * A call without a connection waits for one, as long as its own time limit and `waitMs` allow, and fails with `unreachable`
 * then. One that is under way when the connection goes fails with `unreachable` and is not repeated: it may have had its
 * effect, and only its caller knows the idempotency key.
 */
export interface SteadyClient extends Calls {
  state(): SteadyState;
  onState(listener: (state: SteadyState) => void): () => void;
  /** Ask anew for what is drawn from events: after every connect, and after missed events (at most once a second). */
  onRefresh(listener: (cause: "connected" | "gap") => void): () => void;
  /** Ends a wait: for a network that is back, or a person who pressed a key. */
  connectNow(): void;
  /** For good. */
  close(): void;
}

const defaultWaitMs = 10_000;
const refreshEveryMs = 1_000;
/** A connection of this length proves that connecting works; a shorter one counts as one more failure. */
const stableMs = 10_000;
/** Longer than this no restart is waited for with short steps, whatever is told. */
const maxRestartMs = 300_000;

export function keepConnected(options: SteadyOptions): SteadyClient {
  const { clock, random, backoff = reconnectPolicy, waitMs = defaultWaitMs } = options;
  const states = createListeners<SteadyState>();
  const gaps = createListeners<Gap>();
  const events = createNamedListeners();
  const refresh = createRefresh(options);
  const turnstile = createTurnstile<GatewayClient>(clock);
  const ended = new AbortController();
  let state: SteadyState = { state: "connecting" };
  let timer: Timer | undefined;
  let attempt = 0;
  let restartUntil = -Infinity;

  const enter = (next: SteadyState) => {
    state = next;
    states.tell(next);
  };
  const stop = (fault: Fault | undefined) => {
    if (ended.signal.aborted) return;
    timer?.cancel();
    refresh.stop();
    ended.abort();
    turnstile.close(fault ?? new Fault("unreachable", "the connection was closed here"));
    enter({ state: "stopped", fault });
  };
  const lose = (fault: Fault) => {
    if (ended.signal.aborted) return;
    const isRestarting = clock.monotonic() < restartUntil;
    if (!isRestarting && restartUntil !== -Infinity) [attempt, restartUntil] = [0, -Infinity];
    attempt += 1;
    const retry = decideRetry({ fault, attempt, isRestarting }, backoff, random);
    if (retry === "stop") {
      stop(fault);
      return;
    }
    timer = clock.after(retry.delayMs, open);
    enter({ state: "waiting", delayMs: retry.delayMs, fault });
  };
  const takeEvent = (event: string, payload: unknown) => {
    const expectedMs = event === "shutdown" && isRecord(payload) ? payload["restartExpectedMs"] : undefined;
    if (typeof expectedMs === "number") {
      attempt = 0;
      restartUntil = clock.monotonic() + Math.min(expectedMs, maxRestartMs);
    }
    events.tell(event, payload);
  };
  const take = (client: GatewayClient) => {
    const since = clock.monotonic();
    if (restartUntil !== -Infinity) [attempt, restartUntil] = [0, -Infinity];
    const stopWatchdog = startWatchdog(client, clock);
    client.onGap((gap) => {
      gaps.tell(gap);
      refresh.forGap();
    });
    turnstile.open(client);
    enter({ state: "connected", hello: client.hello });
    refresh.connected();
    // last: what is closed already is told at once
    client.onClose(({ fault }) => {
      stopWatchdog();
      turnstile.shut();
      if (restartUntil === -Infinity && clock.monotonic() - since >= stableMs) attempt = 0;
      lose(fault);
    });
  };
  function open(): void {
    enter({ state: "connecting" });
    connect({ ...options, onEvent: takeEvent, signal: ended.signal }).then(take, (error: unknown) =>
      lose(toFault(error)),
    );
  }
  const callAny = async (method: string, params: unknown, callOptions: CallOptions): Promise<unknown> => {
    const { timeoutMs } = callOptions;
    const since = clock.monotonic();
    const limitMs = timeoutMs > 0 ? Math.min(waitMs, timeoutMs) : waitMs;
    const client = await turnstile.pass(limitMs, () => notConnected(options.url, state));
    const leftMs = timeoutMs > 0 ? Math.max(1, Math.ceil(timeoutMs - (clock.monotonic() - since))) : 0;
    return client.callAny(method, params, { ...callOptions, timeoutMs: leftMs });
  };
  open();

  return {
    state: () => state,
    onState: states.add,
    onRefresh: refresh.add,
    onGap: gaps.add,
    // the Gateway validates what it sends against the same contract
    call: (method, params, callOptions) => callAny(method, params, callOptions) as Promise<never>,
    callAny,
    // likewise
    on: (event, listener) => events.add(event, listener as (payload: unknown) => void),
    connectNow() {
      if (state.state !== "waiting") return;
      timer?.cancel();
      open();
    },
    close: () => stop(undefined),
  };
}

function notConnected(url: string, state: SteadyState): Fault {
  const cause = state.state === "waiting" ? state.fault : undefined;
  return new Fault("unreachable", cause?.message ?? `not connected to ${url} yet`, {
    ...(cause ? { cause } : {}),
    ...(cause?.next ? { next: cause.next } : {}),
  });
}

/** Missed events come in bursts: the first is told at once, those of the next second together at its end. */
function createRefresh({ clock }: Pick<SteadyOptions, "clock">) {
  const listeners = createListeners<"connected" | "gap">();
  let timer: Timer | undefined;
  let isDue = false;
  const forGap = () => {
    isDue = timer !== undefined;
    if (timer) return;
    timer = clock.after(refreshEveryMs, () => {
      timer = undefined;
      if (isDue) forGap();
    });
    listeners.tell("gap");
  };
  const stop = () => {
    timer?.cancel();
    timer = undefined;
  };
  return {
    add: listeners.add,
    forGap,
    connected() {
      // this one makes up for all that was missed before
      stop();
      listeners.tell("connected");
    },
    stop,
  };
}

function createListeners<T>() {
  const listeners = new Set<(value: T) => void>();
  return {
    add(listener: (value: T) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    tell(value: T) {
      for (const listener of listeners) listener(value);
    },
  };
}

function createNamedListeners() {
  const named = new Map<string, ReturnType<typeof createListeners<unknown>>>();
  return {
    add(name: string, listener: (value: unknown) => void) {
      const listeners = named.get(name) ?? createListeners<unknown>();
      named.set(name, listeners);
      return listeners.add(listener);
    },
    tell: (name: string, value: unknown) => named.get(name)?.tell(value),
  };
}
