// Anthropic Messages.

import { createAnthropic } from "@ai-sdk/anthropic";

import type { EgressFetch } from "../../platform/egress.ts";
import type { Model } from "../../ports/model.ts";
import type { ModelSpec } from "../models.ts";
import { adaptFetch, wrapLanguageModel } from "./language-model.ts";

export function openAnthropic(spec: ModelSpec, fetch: EgressFetch): Model {
  const provider = createAnthropic({
    apiKey: spec.apiKey ?? "none",
    headers: { ...spec.headers },
    fetch: adaptFetch(fetch),
    ...(spec.baseUrl ? { baseURL: spec.baseUrl } : {}),
  });
  return wrapLanguageModel(spec, provider(spec.model));
}
