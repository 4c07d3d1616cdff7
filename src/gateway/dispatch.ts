// A request frame -> scope -> params -> handler -> answer. One of the four places that may catch an unknown error.

import { Fault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import { isNestedBeyond, isRecord, maxJsonDepth, parseJson } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import type { Clock } from "../base/clock.ts";
import { methodTable, type MethodRow } from "../protocol/generated/methods.ts";
import { validateFrame, validateParams } from "../protocol/validate.ts";
import type { RequestFrame } from "../protocol/frame.ts";
import { decideAccess } from "./auth/scopes.ts";
import type { Connection } from "./connection.ts";
import { maxConcurrentRequests, maxIdLength } from "./limits.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { WsLog } from "./ws-log.ts";

/** A handler without its types: the table of all of them was checked when it was put together. */
export type AnyHandler = (call: {
  params: unknown;
  caller: Connection["caller"];
  signal: AbortSignal;
  accept(payload: unknown): void;
}) => Promise<unknown>;

export interface DispatchDependencies {
  readonly handlers: Readonly<Record<string, AnyHandler>>;
  readonly log: Log;
  readonly clock: Clock;
  readonly ids: Ids;
  /** True while the Gateway stops: nothing new is begun, yet clients may still look and wait. Absent: never. */
  readonly isDraining?: () => boolean;
  readonly wsLog?: WsLog;
  /** Told once for each answer, for the figures. */
  readonly onAnswered?: Metrics["requestAnswered"];
  /** What is not served although the caller may ask for it. Absent: nothing. */
  readonly refuse?: (method: string, row: MethodRow) => Fault | undefined;
}

type Client = Pick<Connection, "caller" | "signal" | "pending" | "respond" | "refuse">;

/** Takes what an authenticated client sent. Never throws. What is not JSON is ignored, as the protocol has it. */
export type Dispatch = (connection: Client, text: string) => void;

export function createDispatch(dependencies: DispatchDependencies): Dispatch {
  // Object.hasOwn, so that a method called `constructor` is as unknown as any other
  const rowOf = (method: string): MethodRow | undefined =>
    Object.hasOwn(methodTable, method) && Object.hasOwn(dependencies.handlers, method)
      ? (methodTable as Readonly<Record<string, MethodRow>>)[method]
      : undefined;

  return (connection, text) => {
    const frame = readRequest(connection, text);
    if (!frame) return;
    if (connection.pending >= maxConcurrentRequests) {
      const fault = new Fault("overloaded", "too many requests at once on this connection", { retryAfterMs: 1_000 });
      connection.refuse(frame.id, fault);
      return;
    }
    answer(connection, frame, { row: rowOf(frame.method), dependencies }).catch((error: unknown) => {
      dependencies.log.error("cannot answer", { method: frame.method.slice(0, 100), error });
    });
  };
}

/** The request in the text; undefined when there is none, and the client was told where it can be. */
function readRequest(connection: Client, text: string): RequestFrame | undefined {
  const value = parseJson(text);
  if (value === undefined) {
    // JSON all the same: its sender waits for an answer
    if (isNestedBeyond(text, maxJsonDepth)) {
      const message = `invalid request frame: nested deeper than ${maxJsonDepth} levels`;
      connection.refuse("invalid", new Fault("invalid_frame", message));
    }
    return undefined;
  }
  const issue = validateFrame(value);
  if (issue) {
    const message = `invalid request frame: ${issue.text}`;
    connection.refuse(idOf(value), new Fault("invalid_frame", message, issue.field ? { field: issue.field } : {}));
    return undefined;
  }
  // validateFrame has accepted it
  return value as RequestFrame;
}

function idOf(value: unknown): string {
  const id = isRecord(value) ? value["id"] : undefined;
  return typeof id === "string" && id !== "" && id.length <= maxIdLength ? id : "invalid";
}

interface Answering {
  readonly row: MethodRow | undefined;
  readonly dependencies: DispatchDependencies;
}

async function answer(connection: Client, frame: RequestFrame, { row, dependencies }: Answering): Promise<void> {
  const { wsLog, clock, onAnswered } = dependencies;
  const startedAt = clock.monotonic();
  const call = { connId: connection.caller.connId, id: frame.id, method: frame.method };
  const tell = (outcome: { payload?: unknown; fault?: Fault }) => {
    const took = { ms: clock.monotonic() - startedAt, isWaiting: isWaiting(frame.method, row) };
    wsLog?.answered({ ...call, ...took, ...outcome });
    onAnswered?.({ method: row && frame.method, ...took, ...(outcome.fault ? { fault: outcome.fault } : {}) });
  };
  connection.pending += 1;
  wsLog?.asked(call, frame.params);
  try {
    const payload = await callHandler(connection, frame, { row, dependencies });
    connection.respond(frame.id, payload);
    tell({ payload });
  } catch (error) {
    const fault = error instanceof Fault ? error : reportBug(error, frame, dependencies);
    connection.refuse(frame.id, fault);
    tell({ fault });
  } finally {
    connection.pending -= 1;
  }
}

/** It answers when something has happened elsewhere: that takes as long as it takes. */
function isWaiting(method: string, row: MethodRow | undefined): boolean {
  return row?.answers === "twice" || method === "node.invoke" || /wait/iu.test(method);
}

function callHandler(connection: Client, frame: RequestFrame, { row, dependencies }: Answering): Promise<unknown> {
  const { method } = frame;
  if (method === "connect") throw new Fault("invalid_frame", "connect is only valid as the first request");
  const refusal = decideAccess(row, connection.caller) ?? refuseToServe(row, method, dependencies);
  if (refusal) throw refusal;
  const handler = row && dependencies.handlers[method];
  if (!handler) {
    throw new Fault("unknown_method", `unknown method: ${method.slice(0, 100)}`, {
      next: "see features.methods in hello-ok",
    });
  }
  const params = frame.params ?? {};
  const issue = validateParams(method, params);
  if (issue) {
    throw new Fault(
      "invalid_params",
      `invalid ${method} params: ${issue.text}`,
      issue.field ? { field: issue.field } : {},
    );
  }
  return handler({
    params,
    caller: connection.caller,
    signal: connection.signal,
    accept: createAccept(connection, frame, row),
  });
}

/** What the caller may ask for, and yet is not begun now. */
function refuseToServe(
  row: MethodRow | undefined,
  method: string,
  { refuse, isDraining }: DispatchDependencies,
): Fault | undefined {
  if (!row) return undefined;
  if (row.isIdempotent && isDraining?.() === true) {
    return new Fault("shutting_down", "the Gateway is stopping", {
      next: "send the same request again once it is back",
    });
  }
  return refuse?.(method, row);
}

/** The first of two answers, and only there: a client takes a second one for the answer to another request. */
function createAccept(connection: Client, { id, method }: RequestFrame, row: MethodRow): (payload: unknown) => void {
  let isSent = false;
  return (payload) => {
    if (row.answers !== "twice" || isSent) throw new Error(`${method} has no further answer to give`);
    isSent = true;
    connection.respond(id, payload);
  };
}

/** The person who reads the answer gets an id; the log has the rest. */
function reportBug(error: unknown, frame: RequestFrame, { log, ids }: DispatchDependencies): Fault {
  const reportId = ids.secret(4);
  log.error("a method broke", { method: frame.method, reportId, error });
  return new Fault("internal", `internal error ${reportId} in ${frame.method}`, {
    next: `look for ${reportId} in the log`,
  });
}
