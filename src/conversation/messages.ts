// Messages of the transcript that no model wrote. Pure.

import type { Attachment, FunctionResult } from "../ports/message.ts";
import type { ContentBlock, TranscriptMessage, Usage } from "../ports/transcript.ts";

/** Of a message that no model wrote. */
export const noUsage: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, totalTokens: 0 };

/** What a turn begins with: `text` is empty where the results of functions are all there is. */
export interface Opening {
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly functionResults?: readonly FunctionResult[];
}

/** The turn's first messages: what the client's functions gave, what the person said. */
export function openingMessages(opening: Opening, timestamp: number): readonly TranscriptMessage[] {
  const { functionResults = [], text, attachments } = opening;
  const results = functionResults.map((result) => resultMessage(result, timestamp));
  if (results.length > 0 && text === "" && attachments.length === 0) return results;
  const images = attachments.map(({ mimeType, base64 }): ContentBlock => ({ type: "image", mimeType, data: base64 }));
  return [...results, { role: "user", content: [{ type: "text", text }, ...images], timestamp }];
}

export function resultMessage(result: FunctionResult, timestamp: number): TranscriptMessage {
  const { callId, name, output, isError } = result;
  return {
    role: "toolResult",
    toolCallId: callId,
    toolName: name,
    isError,
    timestamp,
    content: [{ type: "text", text: output }],
  };
}
