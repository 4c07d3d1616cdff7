// Bodies of /hooks/wake and /hooks/agent, and what a mapping makes of any other body.

import { Fault } from "../base/fault.ts";
import { asFlag, optional, refuseField, type Body } from "../base/fields.ts";
import { isRecord } from "../base/json.ts";
import type { AgentAction } from "./actions.ts";
import type { HookMapping } from "./section.ts";
import { renderTemplate, type TemplateValues } from "./template.ts";

export interface WakeRequest {
  readonly text: string;
  readonly mode: "now" | "next-heartbeat";
}

/** @throws Fault `invalid_params` naming the field. */
export function readWake(body: unknown): WakeRequest {
  const fields = asBody(body);
  return { text: asFilledText(fields["text"], "text"), mode: readMode(fields["mode"], "mode") };
}

/** `prefixes`: what a session key that the request names must begin with. @throws Fault `invalid_params` naming the field. */
export function readAgent(body: unknown, prefixes: readonly string[]): AgentAction {
  const fields = asBody(body);
  readMode(fields["wakeMode"], "wakeMode");
  const sessionKey = optional(fields, "sessionKey", asFilledText);
  if (sessionKey !== undefined && !prefixes.some((prefix) => sessionKey.startsWith(prefix))) {
    throw new Fault("invalid_params", `sessionKey must begin with ${prefixes.join(" or ")}`, {
      field: "sessionKey",
      next: "add its beginning to hooks.allowedSessionKeyPrefixes",
    });
  }
  return {
    message: asFilledText(fields["message"], "message"),
    name: optional(fields, "name", asFilledText) ?? "Hook",
    isDelivered: fields["deliver"] === undefined || asFlag(fields["deliver"], "deliver"),
    channel: optional(fields, "channel", asFilledText) ?? "last",
    isTrusted: false,
    ...definedTexts({
      sessionKey,
      agentId: optional(fields, "agentId", asFilledText),
      to: optional(fields, "to", asFilledText),
      model: optional(fields, "model", asFilledText),
      thinking: optional(fields, "thinking", asFilledText),
    }),
    ...readTimeout(fields["timeoutSeconds"]),
  };
}

export type MappedAction =
  | { readonly action: "agent"; readonly agent: AgentAction }
  | { readonly action: "wake"; readonly wake: WakeRequest; readonly name: string; readonly isTrusted: boolean };

/** The first that fits. */
export function findMapping(
  mappings: readonly HookMapping[],
  { path, payload }: TemplateValues,
): HookMapping | undefined {
  const source = isRecord(payload) ? payload["source"] : undefined;
  return mappings.find(
    ({ match }) =>
      (match?.path === undefined || match.path.replaceAll(/^\/+|\/+$/gu, "") === path) &&
      (match?.source === undefined || match.source === source),
  );
}

/** @returns undefined when the templates yield nothing. */
export function applyMapping(mapping: HookMapping, values: TemplateValues): MappedAction | undefined {
  const render = (template: string | undefined) => renderTemplate(template ?? "", values).trim();
  const { messageTemplate, textTemplate, wakeMode = "now" } = mapping;
  const name = render(mapping.name) || (mapping.id ?? values.path);
  const isTrusted = mapping.allowUnsafeExternalContent === true;
  if (mapping.action === "wake") {
    const text = render(textTemplate ?? messageTemplate);
    return text === "" ? undefined : { action: "wake", name, isTrusted, wake: { text, mode: wakeMode } };
  }
  const message = render(messageTemplate ?? textTemplate);
  if (message === "") return undefined;
  return { action: "agent", agent: { message, name, isTrusted, ...readDetails(mapping, render) } };
}

function readDetails(
  { deliver = true, channel, agentId, sessionKey, to, model, thinking, timeoutSeconds }: HookMapping,
  render: (template: string | undefined) => string,
): Omit<AgentAction, "message" | "name" | "isTrusted"> {
  return {
    isDelivered: deliver,
    channel: render(channel) || "last",
    ...definedTexts({ sessionKey: render(sessionKey), to: render(to), agentId, model, thinking }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
  };
}

function definedTexts<Key extends string>(
  texts: Readonly<Record<Key, string | undefined>>,
): Partial<Record<Key, string>> {
  const some = Object.entries(texts).filter(([, text]) => text !== undefined && text !== "");
  // the keys are those of the argument
  return Object.fromEntries(some) as Partial<Record<Key, string>>;
}

function asBody(body: unknown): Body {
  if (isRecord(body)) return body;
  throw new Fault("invalid_params", "the body must be a JSON object");
}

function asFilledText(value: unknown, field: string): string {
  if (typeof value !== "string" || value.trim() === "") throw refuseField(field, "must be a text, and not empty");
  return value.trim();
}

function readMode(value: unknown, field: string): "now" | "next-heartbeat" {
  if (value === undefined || value === "now") return "now";
  if (value === "next-heartbeat") return value;
  throw refuseField(field, "must be now or next-heartbeat");
}

function readTimeout(value: unknown): Pick<AgentAction, "timeoutSeconds"> {
  if (value === undefined) return {};
  if (typeof value === "number" && Number.isInteger(value) && value > 0 && value <= 86_400)
    return { timeoutSeconds: value };
  throw refuseField("timeoutSeconds", "must be a whole number from 1 to 86400");
}
