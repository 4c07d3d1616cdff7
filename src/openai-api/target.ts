// Which agent a request is for, and which session: by `model`, headers and `user`. Pure.

import { productNames } from "../base/brand.ts";
import { Fault } from "../base/fault.ts";
import { refuseField } from "../base/fields.ts";
import { parseSessionKey, type SessionKey } from "../base/ids.ts";
import { agentOf, checkAgent, widenSessionKey, type RoutePolicy } from "../conversation/route.ts";
import type { HttpRequest } from "../ports/route.ts";

export interface Target {
  readonly agentId: string;
  readonly sessionKey: SessionKey;
  /** A session of the caller's own that goes on from request to request. */
  readonly isLasting: boolean;
  /** `provider/model` instead of the agent's own. */
  readonly model: string | undefined;
}

export interface Naming {
  readonly model: string;
  readonly user: string | undefined;
  /** What sessions of this interface are called: `openai` or `openresponses`. */
  readonly family: string;
  /** Names the session of a request that names none. */
  readonly fresh: string;
}

/** Sessions of these belong to the Gateway's own works. */
const reserved = /^(?:subagent|cron|acp|hook):/u;

/** @throws Fault `invalid_params` or `forbidden`. */
export function decideTarget(
  request: Pick<HttpRequest, "headers" | "caller">,
  naming: Naming,
  policy: RoutePolicy,
): Target {
  const header = (name: string) => readHeader(request, name);
  const agentId = checkAgent(agentInModel(naming.model) ?? header("agent-id") ?? policy.defaultAgentId, policy);
  const model = header("model");
  if (model !== undefined && !(request.caller?.scopes.includes("operator.admin") ?? false))
    throw new Fault("forbidden", "another model may be asked for by an administrator alone", { field: "model" });

  const named = header("session-key");
  if (named !== undefined) {
    const sessionKey = widenSessionKey(named, { ...policy, defaultAgentId: agentId });
    const rest = sessionKey.split(":").slice(2).join(":");
    if (reserved.test(rest)) throw refuseField("session key", "belongs to the Gateway's own works");
    return { agentId: agentOf(sessionKey, agentId), sessionKey, isLasting: true, model };
  }
  const { user, family, fresh } = naming;
  const own = user === undefined ? `${family}:${fresh}` : `${family}-user:${user.trim().toLowerCase()}`;
  return { agentId, sessionKey: parseSessionKey(`agent:${agentId}:${own}`), isLasting: user !== undefined, model };
}

function readHeader({ headers }: Pick<HttpRequest, "headers">, name: string): string | undefined {
  for (const product of productNames) {
    const value = headers[`x-${product}-${name}`];
    if (typeof value === "string" && value.trim() !== "") return value.trim();
  }
  return undefined;
}

/** `<product>:<agent>`, `<product>/<agent>` or `agent:<agent>`; the product's name alone and `default` name none. */
function agentInModel(model: string): string | undefined {
  const [, agentId] = /^[a-z]+[:/](?<agent>.+)$/iu.exec(model) ?? [];
  const family = model.split(/[:/]/u, 1).join("").toLowerCase();
  const isOurs = family === "agent" || productNames.some((name) => name === family);
  if (!isOurs) {
    throw refuseField(
      "model",
      `${JSON.stringify(model.slice(0, 80))} names no agent`,
      `use ${productNames[0]}, or ${productNames[0]}/<agent>`,
    );
  }
  return agentId === undefined || agentId === "default" ? undefined : agentId;
}

/** How agents are called in lists of models. */
export function modelNames({ agentIds }: Pick<RoutePolicy, "agentIds">): readonly string[] {
  const [product] = productNames;
  return [product, `${product}/default`, ...agentIds.map((id) => `${product}/${id}`)];
}
