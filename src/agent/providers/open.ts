// Opens a model: one lazily imported file a wire form. Nothing of this is loaded before the first turn.

import type { Clock } from "../../base/clock.ts";
import type { EgressFetch } from "../../platform/egress.ts";
import type { Model } from "../../ports/model.ts";
import type { ModelSpec } from "../models.ts";

export async function openModel(spec: ModelSpec, means: { fetch: EgressFetch; clock: Clock }): Promise<Model> {
  const { fetch, clock } = means;
  switch (spec.api) {
    case "offline":
      return (await import("./offline.ts")).openOffline(spec, clock);
    case "anthropic":
      return (await import("./anthropic.ts")).openAnthropic(spec, fetch);
    case "openai":
      return (await import("./openai.ts")).openOpenAi(spec, fetch);
    case "google":
      return (await import("./google.ts")).openGoogle(spec, fetch);
    case "openai-compatible":
      return (await import("./openai-compatible.ts")).openOpenAiCompatible(spec, fetch);
  }
}
