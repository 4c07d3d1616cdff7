// Fetching what a stranger, a model or a client named: from public addresses only, within bounds. The name is looked up once and
// the connection goes to the very address that was judged (no rebinding); every redirect is judged anew, and credentials do not
// follow it to another origin (S24, S38, S39).

import { lookup as systemLookup } from "node:dns/promises";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";

import { abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { createDeadline } from "../base/deadline.ts";
import { Fault } from "../base/fault.ts";
import { isPublicAddress } from "../base/public-address.ts";
import { http } from "./node-http.ts";

export interface PublicFetchLimits {
  readonly maxBytes: number;
  /** Names, redirects and the whole body together. */
  readonly timeoutMs: number;
  readonly maxRedirects: number;
  /** Sent to the URL's own origin, and nowhere else. */
  readonly headers?: Readonly<Record<string, string>>;
  /** MIME types accepted, without parameters; absent: any. Checked before the body is read. */
  readonly mimeTypes?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface PublicFetchResult {
  readonly status: number;
  /** Lower case, without parameters; empty when the server named none. */
  readonly mimeType: string;
  readonly body: Buffer;
  /** Where the body came from, after redirects. */
  readonly url: string;
}

/**
 * GETs the URL.
 * @throws Fault `forbidden` for what leads to a private address, `invalid_params` for what is no http(s) URL, `too_large`,
 * `timeout`, or `unreachable` for any other trouble, such as a status of 400 or above.
 */
export type PublicFetch = (url: string, limits: PublicFetchLimits) => Promise<PublicFetchResult>;

export interface PublicFetchDependencies {
  readonly clock: Clock;
  /** All addresses of a name. Absent: the system's. */
  readonly lookup?: (name: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;
  /** Absent: the public Internet alone. */
  readonly isAllowed?: (address: string) => boolean;
}

export function createPublicFetch({
  clock,
  lookup = (name) => systemLookup(name, { all: true }),
  isAllowed = isPublicAddress,
}: PublicFetchDependencies): PublicFetch {
  /** @throws Fault unless every address of the name may be reached: one bad address among good ones is a trap. */
  const resolve = async (url: URL) => {
    const name = url.hostname.replaceAll(/^\[|\]$/gu, "");
    const family = isIP(name);
    const addresses = family === 0 ? await lookup(name).catch(() => []) : [{ address: name, family }];
    const [first] = addresses;
    if (!first) throw new Fault("unreachable", `no address is known for ${name}`);
    if (!addresses.every(({ address }) => isAllowed(address)))
      throw new Fault("forbidden", `${name} is not on the public Internet`, { next: "name a public address" });
    return first;
  };

  return async (start, limits) => {
    const deadline = createDeadline(clock, limits.timeoutMs, limits.signal);
    const origin = parseUrl(start).origin;
    try {
      let url = parseUrl(start);
      for (let redirects = 0; ; redirects += 1) {
        const target = await abortable(resolve(url), deadline.signal);
        const headers = url.origin === origin ? limits.headers : undefined;
        const response = await ask(url, { ...target, headers, signal: deadline.signal });
        const next = redirectOf(response, url);
        if (!next) return await toResult(response, url, limits);
        response.destroy();
        if (redirects >= limits.maxRedirects)
          throw new Fault("unreachable", `more than ${limits.maxRedirects} redirects`, { next: "name the last URL" });
        url = next;
      }
    } catch (error) {
      if (error instanceof Fault) throw error;
      if (deadline.isExpired())
        throw new Fault("timeout", `no whole answer within ${limits.timeoutMs} ms`, { cause: error });
      throw new Fault("unreachable", `cannot fetch from ${new URL(start).host}`, { cause: error });
    } finally {
      deadline.clear();
    }
  };
}

/** @throws Fault `invalid_params` */
function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new Fault("invalid_params", "only http and https URLs can be fetched", { field: "url" });
  if (url.username !== "" || url.password !== "")
    throw new Fault("invalid_params", "a URL must not hold a user name or password", { field: "url" });
  return url;
}

interface Asking {
  readonly address: string;
  readonly family: number;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly signal: AbortSignal;
}

function ask(url: URL, { address, family, headers, signal }: Asking): Promise<IncomingMessage> {
  // whatever name is asked for, the answer is the address that was judged
  const pinned: LookupFunction = (_name, options, done) => {
    if (options.all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
  const send = url.protocol === "https:" ? httpsRequest : http.request;
  return new Promise((resolve, reject) => {
    const request = send(url, {
      // no connection is shared with anything else
      agent: false,
      lookup: pinned,
      signal,
      headers: { ...headers, accept: "*/*", "accept-encoding": "identity" },
    });
    // stays on to the end: an error that nobody listens to would end the process (R2)
    request.on("error", reject);
    request.once("response", (response) => {
      response.on("error", () => undefined);
      resolve(response);
    });
    request.end();
  });
}

function redirectOf({ statusCode = 0, headers }: IncomingMessage, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) return undefined;
  return parseUrl(URL.canParse(headers.location, from.href) ? new URL(headers.location, from).href : "");
}

async function toResult(response: IncomingMessage, url: URL, limits: PublicFetchLimits): Promise<PublicFetchResult> {
  const { statusCode: status = 0, headers } = response;
  const mimeType = (headers["content-type"] ?? "").split(";", 1).join("").trim().toLowerCase();
  try {
    checkHead(response, { url, mimeType, limits });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > limits.maxBytes) throw tooLarge(limits);
      chunks.push(chunk);
    }
    return { status, mimeType, body: Buffer.concat(chunks), url: url.href };
  } finally {
    response.destroy();
  }
}

interface Head {
  readonly url: URL;
  readonly mimeType: string;
  readonly limits: PublicFetchLimits;
}

/** @throws Fault for a body that is not worth reading. */
function checkHead({ statusCode = 0, headers }: IncomingMessage, { url, mimeType, limits }: Head): void {
  if (statusCode >= 400) throw new Fault("unreachable", `${url.host} answered with ${statusCode}`);
  // what was asked for is the plain body: a packed one could be a bomb
  if ((headers["content-encoding"] ?? "identity") !== "identity")
    throw new Fault("unreachable", `${url.host} sends the body packed`);
  const { mimeTypes } = limits;
  if (mimeTypes && !mimeTypes.includes(mimeType)) {
    throw new Fault("invalid_params", `${url.host} sends ${mimeType || "no type"}`, {
      next: `name one of ${mimeTypes.join(", ")}`,
    });
  }
  if (Number(headers["content-length"] ?? 0) > limits.maxBytes) throw tooLarge(limits);
}

const tooLarge = ({ maxBytes }: PublicFetchLimits) =>
  new Fault("too_large", `what was named is larger than ${maxBytes} bytes`);
