// The Bot API through grammY, over our own way out. This file is imported when the channel starts, not before.

// the build for browsers: it brings no HTTP client of its own, for we give it ours
import { Api } from "grammy/web";

import type { EgressFetch } from "../../platform/egress.ts";

export interface ApiOptions {
  readonly token: string;
  readonly apiRoot: string;
  readonly timeoutSeconds: number;
  readonly fetch: EgressFetch;
}

/** An answer that is not the Bot API's JSON: a proxy's HTML page, a cut-off body. */
function notAnApiAnswer(httpStatus: number): Error {
  return Object.assign(new Error(`HTTP ${httpStatus} without an API answer`), { httpStatus });
}

export function createApi(options: ApiOptions): Api {
  return new Api(options.token, {
    apiRoot: options.apiRoot.replace(/\/+$/u, ""),
    timeoutSeconds: options.timeoutSeconds,
    // grammY's type names node-fetch; it uses `json()` of what comes back and nothing else
    fetch: createApiFetch(options.fetch) as unknown as never,
  });
}

/** Looks at the answer before grammY does, which would lose the status of one that is not JSON. */
function createApiFetch(fetch: EgressFetch) {
  return async (url: string, init: Parameters<EgressFetch>[1]) => {
    const response = await fetch(url, init);
    const text = await response.text();
    try {
      const body: unknown = JSON.parse(text);
      return { ok: response.ok, status: response.status, json: async () => body };
    } catch {
      throw notAnApiAnswer(response.status);
    }
  };
}
