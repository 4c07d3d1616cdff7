// A language model behind one shape, whichever wire form its provider speaks.

import type { JsonObject } from "../base/json.ts";
import type { TranscriptMessage, Usage } from "./transcript.ts";

export interface ModelTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
}

/** `required`: some tool; a name: that one. */
export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

/** How a client wants a model to choose its words; what a provider does not know it ignores. */
export interface Sampling {
  /** Lowers the model's own limit, never raises it. */
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  /** The answer is JSON, of that schema where there is one. */
  readonly responseFormat?: { readonly type: "json"; readonly schema?: JsonObject; readonly name?: string };
}

export interface ModelRequest {
  readonly system: string;
  readonly messages: readonly TranscriptMessage[];
  readonly tools: readonly ModelTool[];
  /** Absent: auto. */
  readonly toolChoice?: ToolChoice;
  readonly sampling?: Sampling;
  readonly maxOutputTokens: number;
  /** off, minimal, low, medium, high or xhigh; absent means the model's default. */
  readonly thinking?: string;
  /** The `traceparent` of whoever asks. */
  readonly trace?: string;
  readonly signal: AbortSignal;
}

/**
 * What to do about a failed call: `retry` the same model later, another `key`, another `model`; the request was `too-long`;
 * the model `refused`; or it is a `bug` in the request.
 */
export type ModelFailure = "retry" | "key" | "model" | "too-long" | "refused" | "bug";

export type ModelEvent =
  | { readonly type: "text"; readonly delta: string }
  | { readonly type: "thinking"; readonly delta: string }
  /** `arguments` is undefined when the model's JSON was broken; `raw` is then what it wrote. */
  | {
      readonly type: "toolCall";
      readonly id: string;
      readonly name: string;
      readonly arguments: Record<string, unknown> | undefined;
      readonly raw: string;
    }
  | { readonly type: "end"; readonly usage: Usage; readonly stopReason: "stop" | "length" | "tool" | "refused" }
  | {
      readonly type: "failed";
      readonly failure: ModelFailure;
      readonly reason: string;
      readonly retryAfterMs?: number;
    };

export interface Model {
  readonly provider: string;
  readonly id: string;
  /** Tokens of input and output together. */
  readonly contextWindow: number;
  readonly maxOutputTokens: number;
  /** Never throws: its last event is `end` or `failed`. An abort of the signal ends it with `failed`/`bug` or silently. */
  stream(request: ModelRequest): AsyncIterable<ModelEvent>;
}
