// `send` and `wake`.

import { Fault } from "../base/fault.ts";
import { parseRunId } from "../base/ids.ts";
import type { Caller, HandlersOf } from "../ports/method.ts";
import { widenSessionKey, type RoutePolicy } from "./route.ts";
import type { Sending } from "./send.ts";

export function createConversationHandlers(dependencies: {
  sending: Sending;
  routePolicy: () => RoutePolicy;
  wake: (call: { text: string; mode: "now" | "next-heartbeat"; caller: Caller }) => Promise<boolean>;
}): HandlersOf<"send" | "wake"> {
  const { sending, routePolicy, wake } = dependencies;
  return {
    wake: async ({ params, caller }) => ({ ok: await wake({ ...params, caller }) }),
    async send({ params, caller }) {
      const channel = sending.resolveChannel(params.channel);
      if (params.mediaUrl !== undefined || (params.mediaUrls ?? []).length > 0) {
        throw new Fault("invalid_params", "media cannot be sent yet", {
          field: "mediaUrl",
          next: "send the text alone",
        });
      }
      return sending.send({
        scope: { principal: caller.principal, method: "send", key: parseRunId(params.idempotencyKey) },
        target: channel.parseTarget(params.to.trim(), params.accountId),
        text: params.message,
        ...(params.sessionKey?.trim() ? { sessionKey: widenSessionKey(params.sessionKey, routePolicy()) } : {}),
      });
    },
  };
}
