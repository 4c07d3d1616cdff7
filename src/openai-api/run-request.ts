// What all interfaces of this room make of a request: a run. Pure.

import { Fault } from "../base/fault.ts";
import { parseRunId, type SessionKey } from "../base/ids.ts";
import type { RunRequest } from "../conversation/run-inbound.ts";
import type { Attachment } from "../ports/message.ts";
import type { ModelTool, Sampling, ToolChoice } from "../ports/model.ts";
import type { HttpRequest } from "../ports/route.ts";
import type { ChatMessages } from "./chat-messages.ts";

/** What a client says about how it wants to be answered. */
export interface Wishes {
  readonly functions: readonly ModelTool[];
  readonly functionChoice: ToolChoice;
  /** How long the model may think. */
  readonly thinking: string | undefined;
  readonly sampling: Sampling;
}

export interface RunParts extends Wishes {
  readonly request: HttpRequest;
  readonly runId: string;
  readonly target: { readonly sessionKey: SessionKey; readonly isLasting: boolean; readonly model: string | undefined };
  readonly messages: Omit<ChatMessages, "pictures">;
  readonly attachments: readonly Attachment[];
}

/** @throws Fault `invalid_params` when there is nothing to answer. */
export function toRunRequest(parts: RunParts): RunRequest {
  const { request, target, messages, attachments } = parts;
  // the router lets nobody in here without being somebody
  if (!request.caller) throw new Error("no caller");
  const { conversation, functionResults, text } = messages;
  if (text.trim() === "" && attachments.length === 0 && functionResults.length === 0)
    throw new Fault("invalid_params", "the last message says nothing", { field: "content" });
  return {
    caller: request.caller,
    runId: parseRunId(parts.runId),
    sessionKey: target.sessionKey,
    text,
    attachments,
    trace: request.trace,
    // a session that goes on remembers by itself what a single message does not tell
    ...(target.isLasting && conversation.length === 0 ? {} : { conversation }),
    ...(functionResults.length > 0 ? { functionResults } : {}),
    ...(messages.instructions === "" ? {} : { extraSystemPrompt: messages.instructions }),
    ...(target.model === undefined ? {} : { model: target.model }),
    ...toWishes(parts),
  };
}

function toWishes({ functions, functionChoice, thinking, sampling }: Wishes): Partial<RunRequest> {
  return {
    ...(functions.length > 0 ? { functions, functionChoice } : {}),
    ...(Object.keys(sampling).length > 0 ? { sampling } : {}),
    ...(thinking === undefined ? {} : { thinking }),
  };
}
