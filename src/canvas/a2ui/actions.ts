// What a person pressed on a page, as a message of theirs into the session. It counts only for what the session really shows.

import { Fault } from "../../base/fault.ts";
import { parseRunId } from "../../base/ids.ts";
import { isRecord } from "../../base/json.ts";
import { createRunInbound } from "../../conversation/run-inbound.ts";
import type { Inbound } from "../../ports/message.ts";
import type { Caller } from "../../ports/method.ts";
import type { Load } from "./loads.ts";
import type { Surfaces } from "./surfaces.ts";

export interface Action {
  /** The page's own, the same when it sends it again. */
  readonly id: string;
  readonly name: string;
  readonly surfaceId: string;
  readonly sourceComponentId: string;
  readonly timestamp: string;
  readonly context: Readonly<Record<string, unknown>>;
}

const maxNameLength = 200;
const maxContextLength = 16 * 1024;
const idPattern = /^[\w-]{8,64}$/u;

/** @throws Fault `invalid_params` or `too_large`. */
export function readAction(frame: Readonly<Record<string, unknown>>): Action {
  const { id, userAction } = frame;
  if (typeof id !== "string" || !idPattern.test(id)) throw wrong("id", "an action needs an id");
  if (!isRecord(userAction)) throw wrong("userAction", "an action needs userAction");
  const { context = {} } = userAction;
  if (!isRecord(context)) throw wrong("context", "the action's context is no object");
  if (JSON.stringify(context).length > maxContextLength)
    throw new Fault("too_large", `what was filled in is longer than ${maxContextLength} characters`, {
      field: "context",
      next: "write less",
    });
  return {
    id,
    name: textOf(userAction, "name"),
    surfaceId: textOf(userAction, "surfaceId"),
    sourceComponentId: textOf(userAction, "sourceComponentId"),
    timestamp: textOf(userAction, "timestamp"),
    context,
  };
}

function textOf(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name];
  if (typeof value === "string" && value !== "" && value.length <= maxNameLength) return value;
  throw wrong(name, `the action's ${name} must be a text of 1 to ${maxNameLength} characters`);
}

const wrong = (field: string, message: string) => new Fault("invalid_params", message, { field });

/** @throws Fault `not_found` when the session shows nothing that does this: the agent has changed the page meanwhile. */
export function checkShown({ name, surfaceId, sourceComponentId }: Action, surfaces: Surfaces): void {
  // what stands in a list has the list's places behind its name
  const [base] = sourceComponentId.split(":", 1);
  const shown = surfaces.get(surfaceId)?.components.filter(({ id }) => id === sourceComponentId || id === base) ?? [];
  const isThere = shown.some(({ component }) =>
    Object.values(component).some(
      (properties) => isRecord(properties) && isRecord(properties["action"]) && properties["action"]["name"] === name,
    ),
  );
  if (!isThere)
    throw new Fault("not_found", "the agent shows this no more", { next: "look at the page again, and press anew" });
}

/**
 * The same action twice is one message. It is never an administrator's, whoever pressed: what a button is called, and what it says
 * besides, was written by the agent, perhaps for a guest of the conversation (S11).
 */
export function toInbound(action: Action, load: Load, caller: Caller): Inbound {
  const { id, ...userAction } = action;
  return createRunInbound({
    caller: { ...caller, scopes: caller.scopes.filter((scope) => scope !== "operator.admin") },
    runId: parseRunId(`a2ui:${load.id}:${id}`),
    sessionKey: load.sessionKey,
    text: [
      `The user acted on your A2UI page. ${JSON.stringify({ userAction })}`,
      "Show what came of it by canvas a2ui_push; your reply is not seen on the page.",
    ].join("\n"),
    attachments: [],
  });
}
