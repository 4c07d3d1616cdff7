// Webhooks: POST <hooks.path>/wake, /agent, and /<name> for the rules of the config. Programs of strangers call them, with a token of
// their own that opens nothing else (S26, S27, S29).

import { bearerOf } from "../base/bearer.ts";
import { productNames } from "../base/brand.ts";
import { Fault } from "../base/fault.ts";
import { createSecretCheck } from "../base/secret-check.ts";
import type { Route } from "../ports/route.ts";
import type { ActionDependencies } from "./actions.ts";
import { checkAge, readEventId } from "./event-id.ts";
import type { HookState } from "./section.ts";

export interface HookDependencies extends ActionDependencies {
  readonly state: () => HookState;
}

type OpenHooks = Extract<HookState, { state: "on" }>;

export function createHookRoute(dependencies: HookDependencies): Route {
  const open = (): OpenHooks | undefined => {
    const state = dependencies.state();
    return state.state === "on" ? state : undefined;
  };
  return {
    name: "hooks",
    matches: (path) => path.startsWith(`${open()?.path ?? ""}/`) && open() !== undefined,
    example: () => `${open()?.path ?? ""}/wake`,
    methods: ["POST"],
    access: {
      tokenOf(headers, query) {
        if (query.has("token")) {
          throw new Fault("invalid_params", "a token in a URL ends up in logs: it is not taken", {
            next: "send the header Authorization: Bearer <hooks.token>, and make a new token",
          });
        }
        const own = productNames.map((name) => headers[`x-${name}-token`]).find((value) => typeof value === "string");
        return bearerOf(headers) ?? (typeof own === "string" ? own : undefined);
      },
      isToken: (presented) => {
        const hooks = open();
        return hooks !== undefined && createSecretCheck(hooks.token)(presented);
      },
    },
    isEnabled: () => open() !== undefined,
    maxBodyBytes: () => open()?.maxBodyBytes ?? 0,
    async answer(request, reply) {
      const hooks = open();
      // the config may have changed since the router asked
      if (!hooks) throw new Fault("not_found", "hooks are switched off");
      checkAge(request.headers, dependencies.clock.now());
      const path = request.path.slice(hooks.path.length + 1).replace(/\/+$/u, "");
      const eventId = readEventId(request.headers);
      const event = eventId === undefined ? undefined : { path, eventId };
      const eventKey = event && `${path}:${eventId}`;
      const { take } = await import("./take.ts");
      await take(
        { request, reply, hooks, path, event, context: { eventKey, token: hooks.token, trace: request.trace } },
        dependencies,
      );
    },
  };
}
