// How a room answers a method of the protocol. The contract (params, result, scope, role) lives in protocol/.

import type { MethodName, MethodParams, MethodResult } from "../protocol/contract.ts";

/** Who is on the other end of the connection, as the handshake established it; never as its params claim (S13). */
export interface Caller {
  readonly connId: string;
  /** Names whose idempotency keys these are: the shared secret's holder, or a device. */
  readonly principal: string;
  readonly role: "operator" | "node";
  readonly scopes: readonly string[];
  readonly client: {
    readonly id: string;
    readonly mode: string;
    readonly version: string;
    readonly displayName?: string;
    readonly instanceId?: string;
  };
  /** Negotiated protocol version, 3 to 7. */
  readonly protocol: number;
  readonly isLocal: boolean;
}

export interface Call<Name extends MethodName> {
  readonly params: MethodParams<Name>;
  readonly caller: Caller;
  /** Aborts when the connection closes; work that was accepted goes on all the same. */
  readonly signal: AbortSignal;
  /** Sends the first of two answers; only on methods that answer twice. */
  accept(payload: unknown): void;
}

/** @throws Fault: becomes the error answer. Anything else thrown is reported as a bug. */
export type Handler<Name extends MethodName> = (call: Call<Name>) => Promise<MethodResult<Name>>;

/** The handlers of one room. compose joins all rooms' and the compiler checks that none is missing. */
export type HandlersOf<Names extends MethodName> = { readonly [Name in Names]: Handler<Name> };
