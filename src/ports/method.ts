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
  /** The paired device whose key signed the handshake. */
  readonly deviceId?: string;
  /** How the caller showed who it is. */
  readonly auth: "token" | "password" | "device-token" | "tailscale";
  /** What a node says of itself; only for role node. */
  readonly node?: NodeDeclaration;
}

/** A node's own account of itself, cut to size; what it may be asked for is decided elsewhere. */
export interface NodeDeclaration {
  readonly caps: readonly string[];
  readonly commands: readonly string[];
  readonly permissions: Readonly<Record<string, boolean>>;
  readonly pathEnv?: string;
  readonly platform: string;
  readonly deviceFamily?: string;
  readonly modelIdentifier?: string;
  readonly displayName?: string;
  readonly version: string;
  /** Absent for nodes on this machine. */
  readonly remoteIp?: string;
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
