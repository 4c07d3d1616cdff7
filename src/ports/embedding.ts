// Numbers for texts, as models of embeddings give them: where the interface for programs and the providers meet.

export interface EmbeddingAsk {
  readonly agentId: string;
  /** `provider/model`, or a model of the provider that the agent's own model has; absent: what that provider is known for. */
  readonly model: string | undefined;
  readonly texts: readonly string[];
  /** How many numbers for each text, where the model has a choice. */
  readonly dimensions: number | undefined;
  readonly signal: AbortSignal;
}

export interface Embeddings {
  /** `provider/model` that gave them. */
  readonly model: string;
  /** One for each text, in their order. */
  readonly vectors: readonly (readonly number[])[];
  /** Tokens of all texts; 0 where the provider does not say. */
  readonly tokens: number;
}

/** @throws Fault `invalid_params` where the provider has no embeddings or the model cannot be used, `agent_failed` when it gives none. */
export type Embed = (ask: EmbeddingAsk) => Promise<Embeddings>;
