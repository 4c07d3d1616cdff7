// What comes in and what goes out. Every cause of a turn becomes one Inbound; every effect on a platform one Outbound.

import type { RunId, SessionKey } from "../base/ids.ts";
import type { ModelTool, Sampling, ToolChoice } from "./model.ts";
import type { TranscriptMessage } from "./transcript.ts";

export interface ChatRef {
  readonly kind: "direct" | "group";
  /** The platform's stable id of the chat. */
  readonly id: string;
  readonly threadId?: string;
  readonly title?: string;
}

export interface SenderRef {
  /** The platform's stable id; never a name that its owner can change (S31). */
  readonly id: string;
  readonly name?: string;
  readonly username?: string;
}

/** Where a reply goes. */
export interface DeliveryTarget {
  readonly channel: string;
  readonly account: string;
  readonly chatId: string;
  readonly threadId?: string;
}

/** A picture that came with a message: base64 of at most 5,000,000 bytes. */
export interface Attachment {
  readonly mimeType: string;
  readonly fileName?: string;
  readonly base64: string;
}

/** What a client's function gave for a call of the turn before. */
export interface FunctionResult {
  readonly callId: string;
  readonly name: string;
  readonly output: string;
  readonly isError: boolean;
}

/** What an authenticated client may say about the turn it asks for. Absent on messages from a channel. */
export interface RunOptions {
  readonly runId: RunId;
  readonly sessionKey: SessionKey;
  /** 0 means no limit; absent means `agents.defaults.timeoutSeconds`. */
  readonly timeoutMs?: number;
  readonly model?: string;
  readonly thinking?: string;
  readonly extraSystemPrompt?: string;
  /** The conversation so far as the client tells it, in place of the session's own. */
  readonly conversation?: readonly TranscriptMessage[];
  readonly functions?: readonly ModelTool[];
  readonly functionChoice?: ToolChoice;
  /** Answers to the calls that `conversation` ends with; the message itself has no text then. */
  readonly functionResults?: readonly FunctionResult[];
  readonly sampling?: Sampling;
  /** The reply is sent there as well as streamed to clients; `last`: where the session was last heard from. */
  readonly deliver?: DeliveryTarget | "last";
}

export interface Inbound {
  readonly channel: string;
  readonly account: string;
  /** Unique within (channel, account): a second submit with it is a duplicate. */
  readonly eventId: string;
  readonly chat: ChatRef;
  readonly sender: SenderRef;
  readonly text: string;
  readonly attachments?: readonly Attachment[];
  /** In a group: addressed to us by mention or by a reply to our message. */
  readonly isMentioned?: boolean;
  /** The platform's message id, for replies to it. */
  readonly messageId?: string;
  /** When the sender sent it, ms since the epoch. */
  readonly sentAt?: number;
  /**
   * `channel`: a person on a messaging platform, judged by the gate. `operator`: an authenticated client with the scope
   * to write, let through. Set by the door that received it, never from the message (S13).
   */
  readonly trust: "channel" | "operator";
  /** Its client was an administrator when it asked; set by the door too. Who owns the Gateway by a channel, the config says. */
  readonly isAdmin?: boolean;
  /** The `traceparent` of what brought it. */
  readonly trace?: string;
  readonly run?: RunOptions;
}

/** All outcomes are committed to disk before they are returned. */
export type SubmitResult =
  | {
      readonly outcome: "accepted";
      readonly runId: RunId;
      readonly sessionKey: SessionKey;
      readonly acceptedAt: number;
    }
  | { readonly outcome: "duplicate"; readonly runId: RunId | undefined; readonly sessionKey: SessionKey | undefined }
  | { readonly outcome: "pairing"; readonly code: string | undefined }
  | { readonly outcome: "dropped"; readonly reason: string };

/**
 * The one way to cause a turn.
 * @throws Fault `shutting_down` (retryable, nothing stored), `key_reused`, `invalid_params` for a muted session, or `storage`; after a throw the caller must not
 * acknowledge the event to its platform.
 */
export type Submit = (inbound: Inbound) => Promise<SubmitResult>;

export interface Outbound {
  readonly target: DeliveryTarget;
  /** Markdown, already within the channel's text limit. */
  readonly text: string;
  /** Platform message id that this answers. */
  readonly replyTo?: string;
  readonly isSilent?: boolean;
  /** Stable over retries of the same row, for platforms with an idempotency handle. */
  readonly effectKey: string;
}

/** How a send ended. `unknown` means the platform may or may not show the message. */
export type SendOutcome =
  | { readonly outcome: "sent"; readonly messageId: string }
  | { readonly outcome: "retry"; readonly afterMs: number; readonly reason: string }
  | { readonly outcome: "unknown"; readonly reason: string }
  | { readonly outcome: "rejected"; readonly reason: string }
  | { readonly outcome: "login"; readonly reason: string; readonly next: string };
