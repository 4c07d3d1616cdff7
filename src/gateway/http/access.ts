// Who sent a plain HTTP request. The Gateway's secret makes a full operator, a Tailscale identity one that reads and writes;
// the limiter stands before every comparison, of a route's own token too (S4, S8, R38).

import type { IncomingMessage } from "node:http";

import { bearerOf } from "../../base/bearer.ts";
import { Fault } from "../../base/fault.ts";
import type { Ids } from "../../base/ids.ts";
import type { Caller } from "../../ports/method.ts";
import type { Route, RouteAccess } from "../../ports/route.ts";
import type { Limiter } from "../auth/limiter.ts";
import { decideAccess } from "../auth/scopes.ts";
import type { Door } from "../door.ts";
import type { Peer } from "../peer.ts";

export interface AccessDependencies {
  readonly ids: Ids;
  readonly judge: Door["judge"];
}

/** @returns the caller, undefined on routes that know none. @throws Fault `unauthorized` or `forbidden`. */
export async function checkAccess(
  route: Pick<Route, "access">,
  { request, peer }: { readonly request: IncomingMessage; readonly peer: Peer },
  { ids, judge }: AccessDependencies,
): Promise<Caller | undefined> {
  const { access } = route;
  if (access === "open") return undefined;
  const { guard, limiter, source, tailscaleLogin } = judge(request, peer);
  if ("isToken" in access) {
    checkToken(access.tokenOf(request.headers, queryOf(request)), access.isToken, { limiter, source });
    return undefined;
  }
  const presented = bearerOf(request.headers);
  if (presented === undefined && (await tailscaleLogin()) !== undefined)
    return allow(createCaller(ids, peer, { auth: "tailscale", scopes: ["operator.read", "operator.write"] }), access);
  if (presented === undefined && access.isOptional === true) return undefined;
  checkToken(presented, (text) => guard.isSecret(text), { limiter, source });
  return allow(createCaller(ids, peer, { auth: guard.mode, scopes: ["operator.admin"] }), access);
}

export function queryOf({ url = "" }: Pick<IncomingMessage, "url">): URLSearchParams {
  return new URLSearchParams(url.includes("?") ? url.slice(url.indexOf("?") + 1) : "");
}

interface Counting {
  readonly limiter: Limiter;
  readonly source: string;
}

function checkToken(
  presented: string | undefined,
  isToken: (text: string) => boolean,
  { limiter, source }: Counting,
): void {
  if (presented === undefined) {
    throw new Fault("unauthorized", "no token was sent", {
      next: "send the header Authorization: Bearer <token>",
      details: { code: "AUTH_TOKEN_MISSING" },
    });
  }
  const waitMs = limiter.waitMs(source);
  if (waitMs > 0) {
    throw new Fault("overloaded", "too many wrong tokens from here", {
      retryAfterMs: waitMs,
      details: { code: "AUTH_RATE_LIMITED" },
    });
  }
  if (isToken(presented)) return;
  limiter.fail(source);
  throw new Fault("unauthorized", "the token is not the right one", {
    next: "see where the Gateway takes its token from: openclaw gateway status",
    details: { code: "AUTH_TOKEN_MISMATCH" },
  });
}

function createCaller(ids: Ids, peer: Peer, how: Pick<Caller, "auth" | "scopes">): Caller {
  return {
    connId: ids.uuid(),
    principal: "owner",
    role: "operator",
    client: { id: "http", mode: "backend", version: "" },
    protocol: 7,
    isLocal: peer.isLocal,
    ...how,
  };
}

function allow(caller: Caller, { scope }: Extract<RouteAccess, { scope: unknown }>): Caller {
  const refusal = decideAccess({ role: "operator", scope, answers: "once", isIdempotent: false }, caller);
  if (refusal) throw refusal;
  return caller;
}
