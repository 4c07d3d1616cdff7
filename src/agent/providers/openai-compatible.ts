// Every server that speaks OpenAI's chat completions: Ollama, LM Studio, vLLM, llama.cpp, routers.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";

import type { EgressFetch } from "../../platform/egress.ts";
import type { Model } from "../../ports/model.ts";
import type { ModelSpec } from "../models.ts";
import { adaptFetch, wrapLanguageModel } from "./language-model.ts";

export function openOpenAiCompatible(spec: ModelSpec, fetch: EgressFetch): Model {
  const provider = createOpenAICompatible({
    name: spec.provider,
    baseURL: spec.baseUrl ?? "https://api.openai.com/v1",
    headers: { ...spec.headers },
    fetch: adaptFetch(fetch),
    includeUsage: true,
    ...(spec.apiKey ? { apiKey: spec.apiKey } : {}),
  });
  return wrapLanguageModel(spec, provider.chatModel(spec.model));
}
