// How a room answers plain HTTP on the Gateway's port. Path, method, credential, draining and size are checked by gateway/http
// before a route is asked.

import type { IncomingHttpHeaders } from "node:http";

import type { Fault } from "../base/fault.ts";
import type { WireScope } from "../protocol/method.ts";
import type { Caller } from "./method.ts";

/**
 * `open`: anybody, so the answer tells nothing. `scope`: who shows the Gateway's secret, or a Tailscale identity, and holds that
 * scope. `isToken`: a token of the route's own, as `tokenOf` finds it.
 */
export type RouteAccess =
  | "open"
  /** `isOptional`: who shows nothing is answered too, without a caller; what is shown must be right all the same. */
  | { readonly scope: WireScope; readonly isOptional?: boolean }
  | {
      /** @throws Fault for a token in a place where it must not be. */
      tokenOf(headers: IncomingHttpHeaders, query: URLSearchParams): string | undefined;
      /** Compares in constant time. */
      isToken(presented: string): boolean;
    };

export interface Route {
  /** For the log and the figures. */
  readonly name: string;
  /** `path` is as it came, still encoded, without the query; `method` matters where one path has several owners. */
  matches(path: string, method: string): boolean;
  /** One path that it answers while it is enabled: by it all routes are found, and each is asked what it must refuse. */
  example(): string;
  /** GET answers HEAD too. */
  readonly methods: readonly ("GET" | "POST" | "DELETE")[];
  readonly access: RouteAccess;
  /** False: the path does not exist for anybody. */
  isEnabled(): boolean;
  /** Largest body, bytes; 0: it takes none. */
  maxBodyBytes(): number;
  /** The body of an error's answer; absent: `{ok: false, error: {type, message}}`. */
  renderError?(fault: Fault): unknown;
  /** @throws Fault: becomes the answer, or ends a stream that has begun. Anything else thrown is reported as a bug. */
  answer(request: HttpRequest, reply: HttpReply): Promise<void>;
}

export interface HttpRequest {
  /** GET for HEAD too: what has no body is cut off behind the route. */
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Absent on routes that are open or have a token of their own. */
  readonly caller: Caller | undefined;
  /** The `traceparent` for what the request sets going. */
  readonly trace?: string;
  /** Aborts when the client has gone, also in the middle of an answer. */
  readonly signal: AbortSignal;
  /** @throws Fault `too_large`, `timeout` or `aborted`. Once for each request. */
  body(): Promise<Buffer>;
  /** @throws Fault as `body`, or `invalid_params` for what is not JSON. */
  json(): Promise<unknown>;
}

type Headers = Readonly<Record<string, string | number>>;

export interface HttpReply {
  json(status: number, body: unknown, headers?: Headers): void;
  send(status: number, body: string | Uint8Array, headers: Headers): void;
  /** An answer in parts; whoever began it ends it. */
  stream(status: number, headers: Headers): HttpStream;
}

export interface HttpStream {
  /** Resolves when there is room for more; false once the client has gone. */
  write(chunk: string | Uint8Array): Promise<boolean>;
  end(): void;
}
