// What the log says of calls and events on the WebSocket. Usually only calls that failed or were slow; in debug lines a pair of
// request and answer on one line, or every frame with what is in it.

import type { Clock } from "../base/clock.ts";
import type { Fault } from "../base/fault.ts";
import { faultCodes } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { toPlainFields } from "../platform/log-fields.ts";

/** `auto`: pairs and events; `compact`: pairs; `full`: frames and events with their contents. */
export type WsLogStyle = "auto" | "full" | "compact";

export interface WsLogging {
  readonly style: WsLogStyle;
  /** Debug lines go somewhere: what nobody reads is not rendered. */
  readonly isOn: () => boolean;
}

export interface Call {
  readonly connId: string;
  readonly id: string;
  readonly method: string;
}

export interface Answered extends Call {
  readonly ms: number;
  /** It answers when something happens, not when it is done. */
  readonly isWaiting: boolean;
  readonly payload?: unknown;
  readonly fault?: Fault;
}

export interface WsLog {
  asked(call: Call, params: unknown): void;
  answered(answer: Answered): void;
  /** To `clients` connections. */
  sent(event: string, payload: unknown, clients: number): void;
}

const slowMs = 50;
const maxValueLength = 240;
/** Lines of failed and slow calls in a period: who provokes them must not fill the log. */
const maxLines = 60;
const periodMs = 10_000;

export function createWsLog(dependencies: {
  readonly log: Log;
  readonly clock: Clock;
  readonly options: WsLogging;
}): WsLog {
  const { log, clock } = dependencies;
  const { style, isOn } = dependencies.options;
  const admit = createLimit(clock, { maxLines, periodMs });
  const limits = new Map<string, () => number | undefined>();
  /** A text that streams in is one line a second, not one a word. */
  const admitEvent = (event: string) => {
    const limit = limits.get(event) ?? createLimit(clock, { maxLines: 1, periodMs: 1_000 });
    limits.set(event, limit);
    return limit();
  };
  return {
    asked({ connId, id, method }, params) {
      if (style !== "full" || !isOn()) return;
      log.debug(`→ req ${shortName(method)}`, { conn: shortId(connId), id: shortId(id), params: shortValue(params) });
    },
    answered(answer) {
      const { fault, ms } = answer;
      const isNoteworthy = fault !== undefined || (ms >= slowMs && !answer.isWaiting);
      const isDebugged = isOn();
      if (!isDebugged && !isNoteworthy) return;
      const unlogged = isDebugged ? 0 : admit();
      if (unlogged === undefined) return;
      const isFull = isDebugged && style === "full";
      const line = `${isFull ? "←" : "⇄"} res ${fault ? "✗" : "✓"} ${shortName(answer.method)} ${Math.round(ms)}ms`;
      const fields = { ...describe(answer, isFull), ...(unlogged > 0 ? { unlogged } : {}) };
      if (isNoteworthy) log.info(line, fields);
      else log.debug(line, fields);
    },
    sent(event, payload, clients) {
      if (style === "compact" || !isOn()) return;
      if (style === "full") log.debug(`← event ${event}`, { clients, payload: shortValue(payload) });
      else {
        const before = admitEvent(event);
        if (before !== undefined) log.debug(`← event ${event}`, { clients, ...(before > 0 ? { more: before } : {}) });
      }
    },
  };
}

function describe({ connId, id, fault, payload }: Answered, isFull: boolean) {
  const who = { conn: shortId(connId), id: shortId(id) };
  if (fault) return { ...who, errorCode: faultCodes[fault.code].wire, errorMessage: shortValue(fault.message) };
  return isFull ? { ...who, payload: shortValue(payload) } : who;
}

/** @returns how many were left out before this one; undefined when this one is left out too. */
function createLimit(clock: Clock, limit: { maxLines: number; periodMs: number }): () => number | undefined {
  let startedAt = clock.monotonic();
  let count = 0;
  let unlogged = 0;
  return () => {
    if (clock.monotonic() - startedAt >= limit.periodMs) {
      startedAt = clock.monotonic();
      count = 0;
    }
    count += 1;
    if (count > limit.maxLines) {
      unlogged += 1;
      return undefined;
    }
    const before = unlogged;
    unlogged = 0;
    return before;
  };
}

const shortName = (method: string) => method.slice(0, 100);

/** Enough to find it again. */
function shortId(id: string): string {
  return id.length <= 13 ? id : `${id.slice(0, 8)}…${id.slice(-4)}`;
}

/** Secrets go before the length does: half of one would not be recognised. */
function shortValue(value: unknown): string {
  const { shown } = toPlainFields({ shown: value });
  const text = typeof shown === "string" ? shown : (JSON.stringify(shown) ?? "");
  return text.length <= maxValueLength ? text : `${text.slice(0, maxValueLength)}…`;
}
