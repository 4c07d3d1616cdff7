// Plain HTTP on the one port: path -> method -> credential -> size -> route. One of the places that may catch an unknown error.

import type { IncomingMessage, ServerResponse } from "node:http";

import type { Clock } from "../../base/clock.ts";
import { Fault, faultCodes, renderFault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { BeginSpan } from "../../base/trace.ts";
import { createSweep } from "../../platform/memory.ts";
import type { HttpReply, HttpRequest, Route } from "../../ports/route.ts";
import type { Peer } from "../peer.ts";
import { checkAccess, queryOf, type AccessDependencies } from "./access.ts";
import { checkAnnouncedSize, createBodyReader, parseBody, type BodyReader } from "./body.ts";
import { createDrain } from "./drain.ts";
import { createReply } from "./reply.ts";
import { beginServing } from "./serving-span.ts";

export interface RouterDependencies extends AccessDependencies {
  readonly clock: Clock;
  readonly log: Log;
  /** The first that matches answers, if it is enabled. */
  readonly routes: () => readonly Route[];
  /** True while the Gateway stops: what changes something is refused, looking is not. Absent: never. */
  readonly isDraining?: () => boolean;
  /** Absent: nothing is traced. */
  readonly beginSpan?: BeginSpan;
  /** Told once for each answer, for the figures. */
  readonly onAnswered?: (answered: { route: string; method: string; status: number; ms: number }) => void;
}

export interface Router {
  /** Answers one request that is no upgrade and comes from no foreign page. Never throws. */
  answer(request: IncomingMessage, response: ServerResponse, arrival: Arrival): void;
  /** Tells a request that it is not even looked at, and closes its connection. */
  refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void;
}

export interface Arrival {
  readonly peer: Peer;
  /** Called when it has shown a credential that is right. */
  readonly admit: () => void;
}

export interface Refusal {
  readonly status: number;
  readonly error: unknown;
}

/** Requests under way at once, but for strangers and those whose body still comes: they hold next to nothing. */
const maxUnderWay = 512;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly arrival: Arrival;
  readonly path: string;
  readonly reply: HttpReply;
}

export function createRouter(dependencies: RouterDependencies): Router {
  const { clock, log, ids, onAnswered } = dependencies;
  const sweep = createSweep();
  const bodies = createBodyReader(clock, sweep);
  const drain = createDrain(clock, sweep);
  const underWay = { count: 0 };

  // one that is off keeps its path: the page that answers for all others does not take it
  const find = (path: string, method = "") => {
    const owner = dependencies.routes().find((route) => route.matches(path, method));
    return owner?.isEnabled() === true ? owner : undefined;
  };

  return {
    answer(request, response, arrival) {
      const startedAt = clock.monotonic();
      // a client that breaks off is no error of ours
      response.on("error", (error) => log.debug("an answer could not be written", { error }));
      const [path = "/"] = (request.url ?? "/").split("?", 1);
      const route = find(path, request.method);
      const exchange = { request, response, arrival, path, reply: createReply(request, response, drain) };
      response.once("close", () => {
        const ms = Math.round(clock.monotonic() - startedAt);
        const { statusCode: status } = response;
        onAnswered?.({ route: route?.name ?? "none", method: request.method ?? "", status, ms });
        log.debug("http", { route: route?.name, method: request.method, status, ms });
      });
      answer(route, exchange, { dependencies, bodies, underWay }).catch((error: unknown) => {
        const reportId = ids.secret(4);
        const isKnown = error instanceof Fault;
        if (!isKnown) log.error("a route broke", { route: route?.name, reportId, error });
        const next = `look for ${reportId} in the log`;
        refuse(route, exchange, isKnown ? error : new Fault("internal", `internal error ${reportId}`, { next }));
      });
    },
    refuse(request, response, { status, error }) {
      response.on("error", (problem) => log.debug("an answer could not be written", { error: problem }));
      createReply(request, response, drain).json(status, { ok: false, error }, { connection: "close" });
    },
  };
}

interface Means {
  readonly dependencies: RouterDependencies;
  readonly bodies: BodyReader;
  readonly underWay: { count: number };
}

async function answer(route: Route | undefined, exchange: Exchange, means: Means): Promise<void> {
  const { request, reply, arrival } = exchange;
  const { dependencies, underWay } = means;
  if (!route) throw new Fault("not_found", "not found");
  const method = request.method === "HEAD" ? "GET" : (request.method ?? "");
  if (!route.methods.some((known) => known === method)) {
    const allow = route.methods.flatMap((known) => (known === "GET" ? ["GET", "HEAD"] : [known])).join(", ");
    reply.json(405, { ok: false, error: { type: "method_not_allowed", message: `use ${allow}` } }, { allow });
    return;
  }
  const caller = await checkAccess(route, { request, peer: arrival.peer }, dependencies);
  if (route.access !== "open" && (caller || "isToken" in route.access)) arrival.admit();
  if (method !== "GET" && dependencies.isDraining?.() === true)
    throw new Fault("shutting_down", "the Gateway is stopping", { retryAfterMs: 2_000 });
  checkAnnouncedSize(request, route.maxBodyBytes());
  if (underWay.count >= maxUnderWay)
    throw new Fault("overloaded", "too many requests at once", { retryAfterMs: 1_000 });
  underWay.count += 1;
  try {
    const { context: trace } = beginServing(route, { ...exchange, method, caller }, dependencies.beginSpan);
    await route.answer(createRequest(route, exchange, { caller, method, trace, ...means }), reply);
  } finally {
    underWay.count -= 1;
  }
}

interface Asking extends Pick<HttpRequest, "caller" | "method" | "trace">, Pick<Means, "bodies" | "underWay"> {}

function createRequest(route: Route, exchange: Exchange, asking: Asking): HttpRequest {
  const { request, response, path } = exchange;
  const { caller, method, trace, bodies, underWay } = asking;
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  const body = async () => {
    underWay.count -= 1;
    try {
      return await bodies.read(request, response, route.maxBodyBytes());
    } finally {
      underWay.count += 1;
    }
  };
  return {
    method,
    path,
    query: queryOf(request),
    headers: request.headers,
    caller,
    trace,
    signal: gone.signal,
    body,
    json: async () => parseBody(await body()),
  };
}

function refuse(route: Route | undefined, { response, reply }: Exchange, fault: Fault): void {
  // a stream that has begun cannot be told any more: it breaks off, so that nobody takes it for whole
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { http: status } = faultCodes[fault.code];
  const seconds = fault.retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(fault.retryAfterMs / 1000));
  reply.json(status, (route?.renderError ?? renderPlainError)(fault), {
    ...(seconds === undefined ? {} : { "retry-after": seconds }),
    ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
  });
}

function renderPlainError(fault: Fault): unknown {
  const { code: type, field } = fault;
  return { ok: false, error: { type, message: renderFault(fault), ...(field === undefined ? {} : { field }) } };
}
