// A request frame -> scope -> params -> handler -> answer. One of the four places that may catch an unknown error.

import { Fault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import { isRecord, parseJson } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import type { Clock } from "../base/clock.ts";
import { methodTable, type MethodRow } from "../protocol/generated/methods.ts";
import { validateFrame, validateParams } from "../protocol/validate.ts";
import type { RequestFrame } from "../protocol/frame.ts";
import { decideAccess } from "./auth/scopes.ts";
import type { Connection } from "./connection.ts";
import { maxConcurrentRequests } from "./limits.ts";

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
}

const slowMs = 50;

/** Takes what an authenticated client sent. Never throws. */
export type Dispatch = (connection: Connection, text: string) => void;

export function createDispatch(dependencies: DispatchDependencies): Dispatch {
  // Object.hasOwn, so that a method called `constructor` is as unknown as any other
  const rowOf = (method: string): MethodRow | undefined =>
    Object.hasOwn(methodTable, method) && Object.hasOwn(dependencies.handlers, method)
      ? (methodTable as Readonly<Record<string, MethodRow>>)[method]
      : undefined;

  return (connection, text) => {
    const value = parseJson(text);
    if (value === undefined) return;
    const issue = validateFrame(value);
    if (issue) {
      const id = isRecord(value) && typeof value["id"] === "string" && value["id"] !== "" ? value["id"] : "invalid";
      connection.refuse(
        id,
        new Fault("invalid_frame", `invalid request frame: ${issue.text}`, issue.field ? { field: issue.field } : {}),
      );
      return;
    }
    // validateFrame has accepted it
    const frame = value as RequestFrame;
    if (connection.pending >= maxConcurrentRequests) {
      connection.refuse(
        frame.id,
        new Fault("overloaded", "too many requests at once on this connection", { retryAfterMs: 1_000 }),
      );
      return;
    }
    void answer(connection, frame, { row: rowOf(frame.method), dependencies });
  };
}

async function answer(
  connection: Connection,
  frame: RequestFrame,
  { row, dependencies }: { row: MethodRow | undefined; dependencies: DispatchDependencies },
) {
  const { log, clock } = dependencies;
  const startedAt = clock.monotonic();
  connection.pending += 1;
  try {
    const result = await callHandler(connection, frame, { row, dependencies });
    connection.respond(frame.id, result);
    const ms = Math.round(clock.monotonic() - startedAt);
    if (row?.answers === "once" && ms >= slowMs)
      log.debug("slow request", { method: frame.method, ms, conn: connection.caller.connId });
  } catch (error) {
    connection.refuse(frame.id, error instanceof Fault ? error : reportBug(error, frame, dependencies));
  } finally {
    connection.pending -= 1;
  }
}

function callHandler(
  connection: Connection,
  frame: RequestFrame,
  { row, dependencies }: { row: MethodRow | undefined; dependencies: DispatchDependencies },
): Promise<unknown> {
  if (frame.method === "connect") throw new Fault("invalid_frame", "connect is only valid as the first request");
  const refusal = decideAccess(row, connection.caller);
  if (refusal) throw refusal;
  const handler = row && dependencies.handlers[frame.method];
  if (!handler)
    throw new Fault("unknown_method", `unknown method: ${frame.method.slice(0, 100)}`, {
      next: "see features.methods in hello-ok",
    });

  const params = frame.params ?? {};
  const issue = validateParams(frame.method, params);
  if (issue) {
    throw new Fault(
      "invalid_params",
      `invalid ${frame.method} params: ${issue.text}`,
      issue.field ? { field: issue.field } : {},
    );
  }
  return handler({
    params,
    caller: connection.caller,
    signal: connection.signal,
    accept: (payload) => connection.respond(frame.id, payload),
  });
}

/** The person who reads the answer gets an id; the log has the rest. */
function reportBug(error: unknown, frame: RequestFrame, { log, ids }: DispatchDependencies): Fault {
  const reportId = ids.secret(4);
  log.error("a method broke", { method: frame.method, reportId, error });
  return new Fault("internal", `internal error ${reportId} in ${frame.method}`, {
    next: `look for ${reportId} in the log`,
  });
}
