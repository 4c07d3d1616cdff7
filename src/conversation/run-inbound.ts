// A client's request for a turn in the form that the waist takes: the door is `client`, the principal its account, and the
// idempotency key its event id.

import type { RunId, SessionKey } from "../base/ids.ts";
import type { Attachment, DeliveryTarget, Inbound } from "../ports/message.ts";
import type { Caller } from "../ports/method.ts";

export function createRunInbound(run: {
  caller: Caller;
  runId: RunId;
  sessionKey: SessionKey;
  text: string;
  attachments: readonly Attachment[];
  deliver?: DeliveryTarget | "last";
  timeoutMs?: number;
  thinking?: string;
  extraSystemPrompt?: string;
}): Inbound {
  const { caller, text, attachments, ...options } = run;
  return {
    channel: "client",
    account: caller.principal,
    eventId: run.runId,
    chat: { kind: "direct", id: run.sessionKey },
    sender: { id: caller.principal, name: caller.client.displayName ?? caller.client.id },
    text,
    ...(attachments.length > 0 ? { attachments } : {}),
    trust: "operator",
    run: options,
  };
}
