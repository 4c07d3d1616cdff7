// Google Gemini.

import { createGoogleGenerativeAI } from "@ai-sdk/google";

import type { EgressFetch } from "../../platform/egress.ts";
import type { Model } from "../../ports/model.ts";
import type { ModelSpec } from "../models.ts";
import { adaptFetch, wrapLanguageModel } from "./language-model.ts";

export function openGoogle(spec: ModelSpec, fetch: EgressFetch): Model {
  const provider = createGoogleGenerativeAI({
    apiKey: spec.apiKey ?? "none",
    headers: { ...spec.headers },
    fetch: adaptFetch(fetch),
    ...(spec.baseUrl ? { baseURL: spec.baseUrl } : {}),
  });
  return wrapLanguageModel(spec, provider(spec.model));
}
