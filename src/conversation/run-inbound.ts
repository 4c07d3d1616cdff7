// A client's request for a turn in the form that the waist takes: the door is `client`, the principal its account, and the
// idempotency key its event id.

import type { Attachment, Inbound, RunOptions } from "../ports/message.ts";
import type { Caller } from "../ports/method.ts";

export interface RunRequest extends Omit<RunOptions, "model"> {
  readonly caller: Caller;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly model?: string;
  /** The `traceparent` of what it came with. */
  readonly trace?: string;
}

export function createRunInbound(run: RunRequest): Inbound {
  const { caller, text, attachments, trace, ...options } = run;
  return {
    channel: "client",
    account: caller.principal,
    eventId: run.runId,
    chat: { kind: "direct", id: run.sessionKey },
    sender: { id: caller.principal, name: caller.client.displayName ?? caller.client.id },
    text,
    ...(attachments.length > 0 ? { attachments } : {}),
    trust: "operator",
    ...(caller.role === "operator" && caller.scopes.includes("operator.admin") ? { isAdmin: true } : {}),
    ...(trace === undefined ? {} : { trace }),
    run: options,
  };
}
