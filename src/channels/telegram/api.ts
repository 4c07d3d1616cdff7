// The Bot API through grammY, over our own way out. This file is imported when the channel starts, not before.

// the build for browsers: it brings no HTTP client of its own, for we give it ours
import { Api } from "grammy/web";

import { isRecord } from "../../base/json.ts";
import type { EgressFetch } from "../../platform/egress.ts";
import { notAnApiAnswer } from "./failure.ts";

export interface ApiOptions {
  readonly token: string;
  readonly apiRoot: string;
  readonly timeoutSeconds: number;
  readonly fetch: EgressFetch;
}

export function createApi(options: ApiOptions): Api {
  return new Api(options.token, {
    apiRoot: options.apiRoot.replace(/\/+$/u, ""),
    timeoutSeconds: options.timeoutSeconds,
    // grammY's type names node-fetch; it uses `json()` of what comes back and nothing else
    fetch: createApiFetch(options) as unknown as never,
  });
}

/** Looks at the answer before grammY does, which would lose the status of one that is not JSON. */
function createApiFetch({ fetch, token }: ApiOptions) {
  return async (url: string, init: Parameters<EgressFetch>[1]) => {
    const response = await fetch(url, init);
    const text = await response.text();
    // an error page may repeat the address that was asked for, and with it the token (S41)
    const body = parseAnswer(response.ok ? text : text.replaceAll(token, "<token>"));
    if (body === undefined) throw notAnApiAnswer(response.status);
    return { ok: response.ok, status: response.status, json: async () => body };
  };
}

/** @returns undefined for what is not the API's: a proxy's HTML page, a cut-off body. */
function parseAnswer(text: string): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return isRecord(body) && typeof body["ok"] === "boolean" ? body : undefined;
  } catch {
    return undefined;
  }
}
