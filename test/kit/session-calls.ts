// Calls of `sessions.*` without a socket: params are checked as the router does, results as the contract says.

import { systemClock, type Clock } from "../../src/base/clock.ts";
import { systemIds } from "../../src/base/ids.ts";
import { createSessionHandlers } from "../../src/conversation/sessions/methods.ts";
import type { ResolveModel } from "../../src/conversation/sessions/settings.ts";
import { createTopics } from "../../src/platform/topics.ts";
import * as answers from "../../src/protocol/generated/answers.js";
import type { Validator } from "../../src/protocol/generated/requests.js";
import { checkWith, validateParams } from "../../src/protocol/validate.ts";
import type { Caller } from "../../src/ports/method.ts";
import type { ConversationKit } from "./conversation.ts";

export const caller: Caller = {
  connId: "c1",
  principal: "owner",
  role: "operator",
  scopes: ["operator.admin"],
  client: { id: "test", mode: "test", version: "1" },
  protocol: 4,
  isLocal: true,
  auth: "token",
};

const resolveModel: ResolveModel = (text) =>
  text.startsWith("scripted/") ? { ref: text } : { reason: "unknown provider", next: "set it up" };

export type CallSessions = (method: string, params: object) => Promise<Record<string, unknown>>;

export function createSessionCalls(kit: ConversationKit, clock: Clock = systemClock): CallSessions {
  const handlers = createSessionHandlers({
    database: kit.database,
    clock,
    ids: systemIds,
    ...kit.conversation,
    routePolicy: kit.routePolicy,
    viewModel: kit.viewModel,
    resolveModel,
    topics: createTopics(),
    path: "/state.sqlite",
  });
  // looked up by name, as the router does
  const byName = handlers as unknown as Readonly<Record<string, (call: object) => Promise<Record<string, unknown>>>>;
  const validators = answers as unknown as Readonly<Record<string, Validator | undefined>>;
  return async (method, params) => {
    const issue = validateParams(method, params);
    if (issue) throw new Error(`invalid ${method} params: ${issue.text}`);
    const handler = byName[method];
    const validator = validators[`validate_result_${method.replaceAll(".", "_")}`];
    if (!handler || !validator) throw new Error(`no method ${method}`);
    const { signal } = new AbortController();
    const result = await handler({ params, caller, signal, accept: () => undefined });
    const wire = JSON.parse(JSON.stringify(result)) as Record<string, unknown>;
    const complaint = checkWith(validator, wire);
    if (complaint) throw new Error(`result of ${method}: ${complaint.text}`);
    return wire;
  };
}
