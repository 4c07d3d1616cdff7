// Adds finished messages of a turn to the transcript, and what the models used to the session and to the days' sums. Runs within
// the transaction of its caller.

import type { RunId, SessionKey } from "../../base/ids.ts";
import type { Sql } from "../../platform/database.ts";
import type { AssistantMessage, TranscriptMessage, Usage } from "../../ports/turn.ts";
import { noUsage } from "../messages.ts";
import { addUse } from "../store/model-use.ts";
import { recordUse } from "../store/sessions.ts";
import { appendMessages } from "../store/transcript.ts";
import { dayOf } from "./usage.ts";

/** Provider of messages that no model wrote: notices, mirrored sends, injected ones. */
export const ownProvider = "gateway";

/** US dollars of one call; undefined when the price is not known. */
export type PriceOf = (provider: string, model: string, usage: Usage) => number | undefined;

export interface RecordPlace {
  readonly sessionKey: SessionKey;
  readonly sessionId: string;
  readonly agentId: string;
  readonly runId: RunId;
}

export interface RecordOptions {
  readonly messages: readonly TranscriptMessage[];
  readonly now: number;
  readonly priceOf: PriceOf;
}

export function recordMessages(sql: Sql, place: RecordPlace, options: RecordOptions): void {
  const { messages, now, priceOf } = options;
  const { sessionKey, sessionId, agentId, runId } = place;
  appendMessages(sql, { sessionId, runId }, messages);
  for (const message of messages) {
    if (message.role !== "assistant" || message.provider === ownProvider) continue;
    const { provider, model, usage } = message;
    recordUse(sql, sessionKey, { provider, model, usage });
    const cost = priceOf(provider, model, usage);
    addUse(sql, {
      day: dayOf(now),
      sessionKey,
      agentId,
      provider,
      model,
      usage,
      ...(cost === undefined ? {} : { cost }),
    });
  }
}

/** A message of the agent's that no model wrote. */
export function ownMessage(
  text: string,
  timestamp: number,
  kind: { model: string; stopReason: string },
): AssistantMessage {
  return {
    role: "assistant",
    content: [{ type: "text", text }],
    timestamp,
    provider: ownProvider,
    ...kind,
    usage: noUsage,
  };
}
