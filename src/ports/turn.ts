// One agent turn, as conversation/lane asks for it and agent/turn performs it.

import type { Fault } from "../base/fault.ts";
import type { RunId, SessionKey } from "../base/ids.ts";
import type { Attachment, DeliveryTarget, FunctionResult } from "./message.ts";
import type { ModelTool, Sampling, ToolChoice } from "./model.ts";
import type { AssistantMessage, TranscriptMessage } from "./transcript.ts";

export type { AssistantMessage, ContentBlock, TranscriptMessage, Usage } from "./transcript.ts";

export interface TurnRequest {
  readonly runId: RunId;
  /** 1 for the first try; a crash or a retry raises it. Writes of an older attempt are refused. */
  readonly attempt: number;
  readonly sessionKey: SessionKey;
  readonly sessionId: string;
  readonly agentId: string;
  /** Asked for by the owner of the Gateway. */
  readonly isOwner: boolean;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  /** Where the message came from, and so where a reply would go; absent for clients without a channel. */
  readonly origin?: DeliveryTarget & {
    readonly senderId: string;
    readonly senderName?: string;
    readonly chatKind: "direct" | "group";
  };
  readonly timeoutMs: number;
  /** `provider/model` that overrides the configured one. */
  readonly model?: string;
  readonly thinking?: string;
  readonly extraSystemPrompt?: string;
  /** Functions of the client: a call of one ends the turn, and the client does it. */
  readonly functions?: readonly ModelTool[];
  /** About the client's functions alone. */
  readonly functionChoice?: ToolChoice;
  /** What the client's functions gave: the turn goes on from there, and `text` is empty. */
  readonly functionResults?: readonly FunctionResult[];
  readonly sampling?: Sampling;
  /** The session before this turn, oldest first. */
  readonly history: readonly TranscriptMessage[];
  /** What earlier attempts of this turn have already stored: the user's message first, then whole steps. */
  readonly done: readonly TranscriptMessage[];
  /**
   * Stores finished steps of this turn so that a crash does not repeat them. Resolves after commit.
   * @throws Fault `aborted` when a newer attempt owns the turn; the caller then stops without further effects.
   */
  checkpoint(messages: readonly TranscriptMessage[]): Promise<void>;
  /** The `traceparent` of whoever asks. */
  readonly trace?: string;
  /** Aborts on `chat.abort`, shutdown and session stop. The time limit is the runner's own. */
  readonly signal: AbortSignal;
}

export type TurnEvent =
  | { readonly type: "start"; readonly startedAt: number }
  | { readonly type: "model"; readonly provider: string; readonly model: string }
  | { readonly type: "fallback"; readonly from: string; readonly to: string; readonly reason: string }
  /** `text` is all text of the current model call so far, `delta` what is new. */
  | { readonly type: "text"; readonly text: string; readonly delta: string }
  | {
      readonly type: "toolStart";
      readonly callId: string;
      readonly name: string;
      readonly args: Record<string, unknown>;
    }
  | {
      readonly type: "toolResult";
      readonly callId: string;
      readonly name: string;
      readonly isError: boolean;
      readonly result: string;
    }
  /** With calls in the message: they are the client's to do. */
  | { readonly type: "end"; readonly message: AssistantMessage }
  /** `notice` is the one honest sentence for the sender. */
  | { readonly type: "failed"; readonly fault: Fault; readonly notice: string }
  | {
      readonly type: "aborted";
      readonly reason: "rpc" | "stop" | "timeout" | "shutdown" | "superseded";
      readonly partialText: string;
    };

/** Never throws: its last event is `end`, `failed` or `aborted`, and exactly one of them. */
export type TurnRunner = (request: TurnRequest) => AsyncIterable<TurnEvent>;
