// Asks a provider for embeddings, in as many calls as it takes, one after the other.

import type { EmbeddingModelV4 } from "@ai-sdk/provider";

import { Fault } from "../../base/fault.ts";
import type { JsonObject } from "../../base/json.ts";
import type { EgressFetch } from "../../platform/egress.ts";
import type { EmbeddingAsk, Embeddings } from "../../ports/embedding.ts";
import type { ModelSpec } from "../models.ts";
import { classifyFailure } from "./failure.ts";
import { adaptFetch } from "./language-model.ts";

export interface EmbeddingCall extends Pick<EmbeddingAsk, "texts" | "dimensions" | "signal"> {
  readonly fetch: EgressFetch;
}

/** @throws Fault `agent_failed` */
export async function embedTexts(
  spec: ModelSpec,
  { texts, dimensions, signal, fetch }: EmbeddingCall,
): Promise<Omit<Embeddings, "model">> {
  const { model, optionsOf } = await openModel(spec, fetch);
  const most = (await model.maxEmbeddingsPerCall) ?? texts.length;
  const providerOptions = dimensions === undefined ? {} : { providerOptions: optionsOf(dimensions) };
  const vectors: (readonly number[])[] = [];
  let tokens = 0;
  try {
    for (let from = 0; from < texts.length; from += most) {
      const values = texts.slice(from, from + most);
      const { embeddings, usage } = await model.doEmbed({ values, abortSignal: signal, ...providerOptions });
      if (embeddings.length !== values.length) throw new Error("the answer holds another number of embeddings");
      vectors.push(...embeddings);
      tokens += usage?.tokens ?? 0;
    }
  } catch (error) {
    if (signal.aborted) throw new Fault("aborted", "the client went away", { cause: error });
    const { reason, retryAfterMs } = classifyFailure(error);
    throw new Fault("agent_failed", `no embeddings: ${reason}`, {
      cause: error,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
  return { vectors, tokens };
}

interface Opened {
  readonly model: EmbeddingModelV4;
  /** How the provider is told of the number of dimensions. */
  readonly optionsOf: (dimensions: number) => Record<string, JsonObject>;
}

async function openModel(spec: ModelSpec, egress: EgressFetch): Promise<Opened> {
  const { provider, model, baseUrl, apiKey } = spec;
  const common = { headers: { ...spec.headers }, fetch: adaptFetch(egress) };
  if (spec.api === "google") {
    const { createGoogleGenerativeAI } = await import("@ai-sdk/google");
    const google = createGoogleGenerativeAI({
      ...common,
      apiKey: apiKey ?? "none",
      ...(baseUrl ? { baseURL: baseUrl } : {}),
    });
    return { model: google.embedding(model), optionsOf: (size) => ({ google: { outputDimensionality: size } }) };
  }
  // OpenAI's own interface of embeddings is the one that the others speak
  const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
  const compatible = createOpenAICompatible({
    ...common,
    name: provider,
    baseURL: baseUrl ?? "https://api.openai.com/v1",
    ...(apiKey ? { apiKey } : {}),
  });
  return {
    model: compatible.embeddingModel(model),
    optionsOf: (size) => ({ openaiCompatible: { dimensions: size } }),
  };
}
