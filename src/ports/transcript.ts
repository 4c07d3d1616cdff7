// What was said, as it is stored, shown and sent to models.

export type ContentBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature?: string }
  | { readonly type: "image"; readonly mimeType: string; readonly data: string }
  | {
      readonly type: "toolCall";
      readonly id: string;
      readonly name: string;
      readonly arguments: Record<string, unknown>;
    };

export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly totalTokens: number;
}

/** Stored in the transcript and shown by `chat.history` in this form. */
export type TranscriptMessage =
  | { readonly role: "user"; readonly content: readonly ContentBlock[]; readonly timestamp: number }
  | {
      readonly role: "assistant";
      readonly content: readonly ContentBlock[];
      readonly timestamp: number;
      readonly provider: string;
      readonly model: string;
      readonly usage: Usage;
      readonly stopReason: string;
    }
  | {
      readonly role: "toolResult";
      readonly content: readonly ContentBlock[];
      readonly timestamp: number;
      readonly toolCallId: string;
      readonly toolName: string;
      readonly isError: boolean;
    };

export type AssistantMessage = Extract<TranscriptMessage, { role: "assistant" }>;
