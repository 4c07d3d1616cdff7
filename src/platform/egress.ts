// The only way out: a `fetch` over node:http, for its memory (the built-in one costs some 100 MB under load) and because a
// failure must tell whether the request had left: a send that never left can be repeated, another may have arrived (R23).
// It follows no redirects. Endpoints that the owner configured may be on private addresses.

import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import type { ReadableStream as WebStream } from "node:stream/web";

import type { Clock, Timer } from "../base/clock.ts";

export interface EgressInit {
  readonly method?: string;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly signal?: unknown;
}

/** Close enough to `globalThis.fetch` for the libraries that take one. */
export type EgressFetch = (input: string | URL | { readonly url: string }, init?: EgressInit) => Promise<Response>;

export interface Egress {
  readonly fetch: EgressFetch;
  /** Closes idle connections. */
  close(): void;
}

/** Thrown by `fetch` when the exchange fails below HTTP. */
export interface EgressError extends Error {
  /** ECONNREFUSED, ECONNRESET, ENOTFOUND, ETIMEDOUT … or ABORT_ERR. */
  readonly code?: string;
  /** False: nothing of the request can have reached the other side. */
  readonly isRequestSent: boolean;
}

const connectTimeoutMs = 10_000;

export function createEgress(dependencies: { clock: Clock }): Egress {
  const options = { keepAlive: true, maxSockets: 64, maxFreeSockets: 8, scheduling: "lifo" as const };
  const plain = new HttpAgent(options);
  const secure = new HttpsAgent(options);
  return {
    fetch: (input, init = {}) => exchange(input, init, { plain, secure, clock: dependencies.clock }),
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

interface Means {
  readonly plain: HttpAgent;
  readonly secure: HttpsAgent;
  readonly clock: Clock;
}

async function exchange(
  input: string | URL | { readonly url: string },
  init: EgressInit,
  means: Means,
): Promise<Response> {
  const url = new URL(typeof input === "string" || input instanceof URL ? input : input.url);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new TypeError(`unsupported protocol ${url.protocol}`);
  const body = await toBody(init.body);
  const headers = toHeaders(init.headers);
  if (body !== undefined && !(body instanceof Readable)) headers["content-length"] = String(body.byteLength);
  headers["accept-encoding"] ??= "identity";

  const isSecure = url.protocol === "https:";
  const send = isSecure ? httpsRequest : httpRequest;
  const request = send(url, { method: init.method ?? "GET", headers, agent: isSecure ? means.secure : means.plain });
  const response = await answerOf(request, { body, signal: toSignal(init.signal), clock: means.clock });
  return toResponse(response, url);
}

interface Sending {
  readonly body: Uint8Array | Readable | undefined;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
}

function answerOf(request: ClientRequest, { body, signal, clock }: Sending): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let isConnected = false;
    let connectTimer: Timer | undefined;
    const abort = () =>
      request.destroy(
        Object.assign(new Error("aborted"), { name: "AbortError", code: "ABORT_ERR", reason: signal?.reason }),
      );
    const settle = () => {
      connectTimer?.cancel();
      request.removeListener("error", fail);
    };
    const fail = (error: Error) => {
      settle();
      signal?.removeEventListener("abort", abort);
      reject(Object.assign(error, { isRequestSent: isConnected }));
    };

    request.on("error", fail);
    request.once("socket", (socket) => {
      if (!socket.connecting) {
        isConnected = true;
        return;
      }
      connectTimer = clock.after(connectTimeoutMs, () =>
        request.destroy(Object.assign(new Error(`no connection within ${connectTimeoutMs} ms`), { code: "ETIMEDOUT" })),
      );
      socket.once("connect", () => {
        isConnected = true;
        connectTimer?.cancel();
      });
    });
    request.once("response", (response) => {
      settle();
      request.on("error", (error) => response.destroy(error));
      response.once("close", () => signal?.removeEventListener("abort", abort));
      resolve(response);
    });

    if (signal?.aborted) {
      abort();
      return;
    }
    signal?.addEventListener("abort", abort, { once: true });
    if (body instanceof Readable) body.on("error", (error) => request.destroy(error)).pipe(request);
    else request.end(body);
  });
}

function toResponse(message: IncomingMessage, url: URL): Response {
  const headers = new Headers();
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    headers.append(message.rawHeaders[index] ?? "", message.rawHeaders[index + 1] ?? "");
  }
  const status = message.statusCode ?? 502;
  const isBodyless = status === 204 || status === 205 || status === 304;
  if (isBodyless) message.resume();
  // the two stream types describe the same object
  const stream = isBodyless
    ? null
    : (Readable.toWeb(message) as WebStream<Uint8Array> as unknown as ReadableStream<Uint8Array>);
  const response = new Response(stream, { status, statusText: message.statusMessage ?? "", headers });
  Object.defineProperty(response, "url", { value: url.href });
  return response;
}

async function toBody(body: unknown): Promise<Uint8Array | Readable | undefined> {
  if (body === undefined || body === null) return undefined;
  if (typeof body === "string") return Buffer.from(body);
  if (body instanceof Uint8Array) return body;
  if (body instanceof Readable) return body;
  if (body instanceof ReadableStream) return Readable.fromWeb(body as unknown as WebStream);
  if (body instanceof Blob) return new Uint8Array(await body.arrayBuffer());
  if (typeof body === "object" && Symbol.asyncIterator in body) return Readable.from(body as AsyncIterable<Uint8Array>);
  throw new TypeError("unsupported request body");
}

function toHeaders(headers: unknown): Record<string, string> {
  const result: Record<string, string> = {};
  const add = (name: string, value: unknown) => {
    if (value !== undefined && value !== null) result[name.toLowerCase()] = String(value);
  };
  if (headers instanceof Headers) headers.forEach((value, name) => add(name, value));
  else if (Array.isArray(headers)) for (const [name, value] of headers as [string, unknown][]) add(name, value);
  else if (typeof headers === "object" && headers !== null)
    for (const [name, value] of Object.entries(headers)) add(name, value);
  return result;
}

/** Libraries bring signals of their own; what matters is that they can be listened to. */
function toSignal(signal: unknown): AbortSignal | undefined {
  const isSignal = typeof signal === "object" && signal !== null && "aborted" in signal && "addEventListener" in signal;
  return isSignal ? (signal as AbortSignal) : undefined;
}
