// From the agent's last words to outbox rows: control tokens out, silence kept, nothing said twice. Pure.

import type { DeliveryTarget } from "../ports/message.ts";
import type { RunId } from "../base/ids.ts";
import type { NewOutboxRow, OutboxSource } from "./store/outbox.ts";
import { chunkMarkdown } from "./chunk.ts";

const silentToken = "NO_REPLY";
const replyTag = /\[\[\s*(?:reply_to_current|reply_to\s*:\s*[^\]]+|audio_as_voice)\s*\]\]/giu;

/** What a person should read; empty when the agent chose silence. */
export function visibleText(text: string): string {
  const clean = text.replace(replyTag, "").trim();
  if (
    new RegExp(`^${silentToken}(?:\\W|$)`, "u").test(clean) ||
    new RegExp(`(?:^|\\W)${silentToken}$`, "u").test(clean)
  )
    return "";
  return clean;
}

export interface ReplyPlan {
  readonly runId: RunId;
  readonly source: OutboxSource;
  /** Prefix of the effect keys: the same plan gives the same keys. */
  readonly effect: string;
  readonly text: string;
  readonly target: DeliveryTarget;
  readonly textLimit: number;
  readonly replyTo?: string;
  readonly now: number;
  /** Texts that reached the target in this turn already. */
  readonly alreadySent: readonly string[];
}

export function planReply(plan: ReplyPlan): NewOutboxRow[] {
  const text = visibleText(plan.text);
  if (text === "" || plan.alreadySent.some((sent) => sent.trim() === text)) return [];
  return chunkMarkdown(text, plan.textLimit).map((chunk, index) => ({
    effectKey: `${plan.effect}:${index}`,
    runId: plan.runId,
    source: plan.source,
    target: plan.target,
    payload: { text: chunk, ...(index === 0 && plan.replyTo ? { replyTo: plan.replyTo } : {}) },
    now: plan.now,
  }));
}
