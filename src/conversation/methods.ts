// `send`, `message.action` and `wake`.

import { Fault } from "../base/fault.ts";
import { parseRunId } from "../base/ids.ts";
import type { Caller, HandlersOf } from "../ports/method.ts";
import { widenSessionKey, type RoutePolicy } from "./route.ts";
import type { Sending } from "./send.ts";

export function createConversationHandlers(dependencies: {
  sending: Sending;
  routePolicy: () => RoutePolicy;
  wake: (call: { text: string; mode: "now" | "next-heartbeat"; caller: Caller }) => Promise<boolean>;
}): HandlersOf<"send" | "message.action" | "wake"> {
  const { sending, routePolicy, wake } = dependencies;
  return {
    wake: async ({ params, caller }) => ({ ok: await wake({ ...params, caller }) }),
    async "message.action"({ params, caller }) {
      const { action, channel: named, accountId, idempotencyKey, sessionKey } = params;
      if (action !== "send") {
        throw new Fault("invalid_params", `no channel can ${action.slice(0, 64)} yet`, {
          field: "action",
          next: "send is what can be done",
        });
      }
      const { target = params.params.to, message, replyTo, threadId } = params.params;
      if (!target?.trim()) throw missing("target", "name the chat");
      if (!message) throw missing("message", "say what is to be sent");
      const to = sending.resolveChannel(named).parseTarget(target.trim(), accountId);
      const sent = await sending.send({
        scope: { principal: caller.principal, method: "message.action", key: parseRunId(idempotencyKey) },
        target: threadId?.trim() ? { ...to, threadId: threadId.trim() } : to,
        text: message,
        ...(replyTo?.trim() ? { replyTo: replyTo.trim() } : {}),
        ...(sessionKey?.trim() ? { sessionKey: widenSessionKey(sessionKey, routePolicy()) } : {}),
      });
      return { ok: true, action, ...sent };
    },
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

const missing = (field: string, next: string) =>
  new Fault("invalid_params", `message.action needs params.${field}`, { field: `params.${field}`, next });
