// Models as other rooms see them: by name, with their window and price; and whether a name may be used.

import type { Usage } from "../ports/turn.ts";
import { isRecord } from "../base/json.ts";
import { chooseModels, offlineRef, type ModelSettings, type ModelSpec } from "./models.ts";

interface ModelView {
  readonly provider: string;
  readonly model: string;
  readonly contextWindow: number;
}

export interface ModelViews {
  /** The model of a `provider/model`, or the default one, of that agent where it is named; undefined when it cannot be used. */
  viewModel(ref: string | undefined, agentId?: string): ModelView | undefined;
  /** US dollars of a call, from `cost` in models.providers; undefined when there is none. */
  priceOf(provider: string, model: string, usage: Usage): number | undefined;
  /** The `provider/model` that a person means by an alias, a bare model or the full name. */
  resolveModel(text: string): { readonly ref: string } | { readonly reason: string; readonly next: string };
}

const perTokens = 1_000_000;

export function createModelViews(settings: (agentId?: string) => ModelSettings): ModelViews {
  const defaultSpec = () => chooseModels(settings()).specs[0];
  return {
    viewModel(ref, agentId) {
      const spec = ref === undefined ? chooseModels(settings(agentId)).specs[0] : findSpec(settings(), ref);
      return spec && { provider: spec.provider, model: spec.model, contextWindow: spec.contextWindow };
    },
    priceOf(provider, model, usage) {
      const cost = settings().providers[provider]?.models?.find((candidate) => candidate.id === model)?.cost;
      if (!isRecord(cost)) return undefined;
      // prices are in dollars for a million tokens; a part without a price costs what input does
      const price = (name: string) => {
        const value = cost[name];
        return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
      };
      const input = price("input");
      const output = price("output");
      if (input === undefined || output === undefined) return undefined;
      // providers count what they read from and write to their cache as input too
      const sum =
        Math.max(0, usage.input - usage.cacheRead - usage.cacheWrite) * input +
        usage.output * output +
        usage.cacheRead * (price("cacheRead") ?? input) +
        usage.cacheWrite * (price("cacheWrite") ?? input);
      return sum / perTokens;
    },
    resolveModel(text) {
      const now = settings();
      const ref = toRef(text.trim(), now, defaultSpec());
      const allowed = Object.keys(now.defaults.models ?? {});
      if (allowed.length > 0 && ref !== offlineRef && !allowed.includes(ref) && !isConfigured(ref, now)) {
        return { reason: "not among agents.defaults.models", next: `use one of: ${allowed.join(", ")}` };
      }
      const choice = chooseModels(now, ref);
      const unusable = choice.unusable.find((candidate) => candidate.ref === ref);
      return unusable ?? { ref };
    },
  };
}

function findSpec(settings: ModelSettings, ref: string): ModelSpec | undefined {
  return chooseModels(settings, ref).specs.find((spec) => `${spec.provider}/${spec.model}` === ref);
}

function toRef(text: string, { defaults }: ModelSettings, fallback: ModelSpec | undefined): string {
  const byAlias = Object.entries(defaults.models ?? {}).find(
    ([, entry]) => entry.alias?.toLowerCase() === text.toLowerCase(),
  );
  if (byAlias) return byAlias[0];
  return text.includes("/") || !fallback ? text : `${fallback.provider}/${text}`;
}

function isConfigured(ref: string, settings: ModelSettings): boolean {
  return chooseModels(settings).specs.some((spec) => `${spec.provider}/${spec.model}` === ref);
}
