// What a model may call. The agent knows no room: it receives tools as a list.

import type { RunId, SessionKey } from "../base/ids.ts";
import type { JsonObject } from "../base/json.ts";
import type { DeliveryTarget } from "./message.ts";

/** `read` looks, `write` changes our own state, `send` is seen by people outside. */
export type ToolEffect = "read" | "write" | "send";

export interface ToolContext {
  readonly runId: RunId;
  /** Same for the same call over every attempt of the turn: makes side effects happen once (R1). */
  readonly effectKey: string;
  readonly sessionKey: SessionKey;
  readonly agentId: string;
  readonly origin: DeliveryTarget | undefined;
  /** The owner of the Gateway asked for the turn. */
  readonly isOwner: boolean;
  /** Model that asks, as `provider/model`. */
  readonly model: string;
  /** The `traceparent` of whoever calls. */
  readonly trace?: string;
}

export interface Tool {
  readonly name: string;
  /** For the model: what it does and when to use it. */
  readonly description: string;
  /** JSON Schema of the parameters: an object schema. Checked before `run`. */
  readonly parameters: JsonObject;
  readonly effect: ToolEffect;
  /** Offered to, and run for, turns alone that the owner of the Gateway asked for (S11). */
  readonly isForOwner?: boolean;
  /**
   * Returns the text that the model reads.
   * @throws Fault when the model can do better next time; its message goes back to the model as an error result.
   */
  run(params: Record<string, unknown>, context: ToolContext, signal: AbortSignal): Promise<string>;
}
