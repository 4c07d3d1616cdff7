// A request over HTTP as a span of a trace.

import type { IncomingMessage, ServerResponse } from "node:http";

import { noSpans, type BeginSpan, type Span } from "../../base/trace.ts";
import type { HttpRequest, Route } from "../../ports/route.ts";

interface Serving extends Pick<HttpRequest, "caller" | "method"> {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Traced is what sets something going, for somebody who is known: a caller's own trace goes on. It lasts as long as the answer. */
export function beginServing(
  { name, access }: Pick<Route, "name" | "access">,
  { request, response, method, caller }: Serving,
  beginSpan: BeginSpan = noSpans,
): Pick<Span, "context"> {
  const isKnown = caller !== undefined || (access !== "open" && "isToken" in access);
  if (method === "GET" || !isKnown) return noSpans(name);
  const { traceparent } = request.headers;
  const span = beginSpan(`${method} ${name}`, {
    kind: "server",
    parent: typeof traceparent === "string" ? traceparent : undefined,
    attributes: { "http.request.method": method, "gateway.route": name },
  });
  response.once("close", () => {
    const { statusCode: status } = response;
    const attributes = { "http.response.status_code": status };
    span.end(status >= 500 ? { attributes, error: String(status) } : { attributes });
  });
  return span;
}
