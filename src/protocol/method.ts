// What a method promises. Build time only: run time uses the table and the validators generated from it.

import type { TSchema } from "typebox";

/** Least scope of an operator. `any`: every authenticated connection. */
export type WireScope =
  | "any"
  | "operator.read"
  | "operator.write"
  | "operator.admin"
  | "operator.pairing"
  | "operator.approvals";

export interface MethodContract<Params extends TSchema = TSchema, Result extends TSchema = TSchema> {
  readonly summary: string;
  /** Types are checked; properties that the schema does not know are ignored, for clients of two generations send extras. */
  readonly params: Params;
  /** The first of two answers; absent on methods that answer once. */
  readonly accepted?: TSchema;
  readonly result: Result;
  readonly scope: WireScope;
  readonly role: "operator" | "node" | "any";
  /** `twice`: an acknowledgement first, the result later, both on the request's id. */
  readonly answers: "once" | "twice";
  /** Needs `idempotencyKey`: same key and body, same answer, one effect. */
  readonly isIdempotent: boolean;
}

type Optional = "role" | "answers" | "isIdempotent";

export function method<Params extends TSchema, Result extends TSchema>(
  contract: Omit<MethodContract<Params, Result>, Optional> & Partial<Pick<MethodContract<Params, Result>, Optional>>,
): MethodContract<Params, Result> {
  return { role: "operator", answers: "once", isIdempotent: false, ...contract };
}

export interface EventContract<Payload extends TSchema = TSchema> {
  readonly summary: string;
  readonly payload: Payload;
  /** Who receives it. `direct`: one connection alone, without `seq`; never broadcast. */
  readonly scope: WireScope | "direct";
  /** May be left out for a connection that reads too slowly. */
  readonly isDroppable: boolean;
  /**
   * Only for connections that asked for it: for all of them (`event`), or for those of the payload's `sessionKey` (`session`).
   * Absent: everybody with the scope.
   */
  readonly topic?: "event" | "session";
}

export function event<Payload extends TSchema>(contract: EventContract<Payload>): EventContract<Payload> {
  return contract;
}
