// The only way out: a `fetch` over node:http, for its memory (the built-in one costs some 100 MB under load) and because a
// failure must tell whether the request had left: a send that never left can be repeated, another may have arrived (R23).
// It follows no redirects. Endpoints that the owner configured may be on private addresses.

import type { Agent as HttpAgent, ClientRequest, IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import type { ReadableStream as WebStream } from "node:stream/web";
import { TLSSocket } from "node:tls";

import type { Clock, Timer } from "../base/clock.ts";
import { http } from "./node-http.ts";

export interface EgressInit {
  readonly method?: string;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly signal?: unknown;
}

/**
 * Close enough to `globalThis.fetch` for the libraries that take one. Whoever gets an answer reads its body to the end or
 * cancels it: until then it keeps its connection.
 * @throws EgressError
 */
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

/** Until the connection can be written to: name, TCP and TLS together. */
const connectTimeoutMs = 10_000;
/**
 * A connection that nobody used for so long is closed. One that the other side, or a router between, has dropped meanwhile
 * would fail a request that may not be repeated.
 */
const idleTimeoutMs = 15_000;

export function createEgress(dependencies: { clock: Clock }): Egress {
  const options = {
    keepAlive: true,
    maxSockets: 64,
    maxFreeSockets: 8,
    scheduling: "lifo" as const,
    timeout: idleTimeoutMs,
  };
  const plain = new http.Agent(options);
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
  const send = isSecure ? httpsRequest : http.request;
  const request = send(url, { method: init.method ?? "GET", headers, agent: isSecure ? means.secure : means.plain });
  const response = await answerOf(request, { body, signal: toSignal(init.signal), clock: means.clock, isSecure });
  return toResponse(response, url);
}

interface Sending {
  readonly body: Uint8Array | Readable | undefined;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  readonly isSecure: boolean;
}

function answerOf(request: ClientRequest, { body, signal, clock, isSecure }: Sending): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let isConnected = false;
    let isAnswered = false;
    let connectTimer: Timer | undefined;
    const abort = () =>
      request.destroy(
        Object.assign(new Error("aborted"), { name: "AbortError", code: "ABORT_ERR", reason: signal?.reason }),
      );
    const stopWaiting = () => connectTimer?.cancel();

    // stays on to the end: an error that nobody listens to would end the process (R2)
    request.on("error", (error) => {
      if (isAnswered) return;
      stopWaiting();
      signal?.removeEventListener("abort", abort);
      reject(toEgressError(error, isConnected));
    });
    request.once("socket", (socket) => {
      if (isReady(socket)) {
        isConnected = true;
        return;
      }
      connectTimer = clock.after(connectTimeoutMs, () =>
        request.destroy(Object.assign(new Error(`no connection within ${connectTimeoutMs} ms`), { code: "ETIMEDOUT" })),
      );
      // before the TLS handshake is done nothing of the request can have left
      socket.once(isSecure ? "secureConnect" : "connect", () => {
        isConnected = true;
        stopWaiting();
      });
    });
    request.once("response", (response) => {
      isAnswered = true;
      stopWaiting();
      request.on("error", (error) => response.destroy(error));
      response.once("close", () => signal?.removeEventListener("abort", abort));
      resolve(response);
    });

    signal?.addEventListener("abort", abort, { once: true });
    if (body instanceof Readable) {
      body.once("error", (error) => request.destroy(error)).pipe(request);
      request.once("close", () => body.destroy());
    } else request.end(body);
    if (signal?.aborted) abort();
  });
}

/** A kept connection can be written to at once; a new one still has its handshakes before it. */
function isReady(socket: Socket): boolean {
  if (socket.connecting) return false;
  if (!(socket instanceof TLSSocket)) return true;
  const version = socket.getProtocol();
  return version !== null && version !== "unknown";
}

function toEgressError(error: Error, isRequestSent: boolean): EgressError {
  // both addresses of a host failed: the message of the two together is empty
  if (error instanceof AggregateError && error.message === "")
    error.message = error.errors.map((inner) => (inner instanceof Error ? inner.message : String(inner))).join("; ");
  return Object.assign(error, { isRequestSent });
}

function toResponse(message: IncomingMessage, url: URL): Response {
  const headers = new Headers();
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    headers.append(message.rawHeaders[index] ?? "", message.rawHeaders[index + 1] ?? "");
  }
  const status = message.statusCode ?? 0;
  if (status < 200 || status > 599) {
    message.destroy();
    throw Object.assign(new Error(`the answer's status is ${status}`), { code: "EPROTO", isRequestSent: true });
  }
  const isBodyless = status === 204 || status === 205 || status === 304;
  if (isBodyless) message.resume();
  // the two stream types describe the same object
  const stream = isBodyless
    ? null
    : (Readable.toWeb(message) as WebStream<Uint8Array> as unknown as ReadableStream<Uint8Array>);
  // the other side may have written anything there, and Response refuses control characters
  const statusText = (message.statusMessage ?? "").replaceAll(/[^\t\x20-\x7e]/gu, "");
  const response = new Response(stream, { status, statusText, headers });
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
