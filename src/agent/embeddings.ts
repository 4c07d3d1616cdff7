// Embeddings by the provider of an agent's model. No failover to another one: numbers of two models cannot be compared.

import { productNames } from "../base/brand.ts";
import { Fault } from "../base/fault.ts";
import type { EgressFetch } from "../platform/egress.ts";
import type { Embed } from "../ports/embedding.ts";
import { parseRef, type ModelChoice, type ModelSpec } from "./models.ts";

export interface EmbeddingDependencies {
  readonly chooseModels: (override: string | undefined, agentId: string) => ModelChoice;
  readonly fetch: EgressFetch;
}

/** What is asked when no model is named. */
const defaultModels: Readonly<Partial<Record<ModelSpec["api"], string>>> = {
  openai: "text-embedding-3-small",
  google: "gemini-embedding-001",
};

const modelHeader = `x-${productNames[0]}-model`;

export function createEmbed({ chooseModels, fetch }: EmbeddingDependencies): Embed {
  return async ({ agentId, model, texts, dimensions, signal }) => {
    const spec = decideSpec(model, (override) => chooseModels(override, agentId));
    const { embedTexts } = await import("./providers/embeddings.ts");
    const found = await embedTexts(spec, { texts, dimensions, signal, fetch });
    return { model: `${spec.provider}/${spec.model}`, ...found };
  };
}

/** @throws Fault `invalid_params` */
function decideSpec(model: string | undefined, choose: (override: string | undefined) => ModelChoice): ModelSpec {
  const [own] = choose(undefined).specs;
  if (model !== undefined) {
    const ref = parseRef(model) ? model : `${own?.provider ?? ""}/${model}`;
    const { specs, unusable } = choose(ref);
    const why = unusable.find((one) => one.ref === ref);
    if (why) throw new Fault("invalid_params", `${ref}: ${why.reason}`, { field: "model", next: why.next });
    const [named] = specs;
    if (named) return checkSpec(named);
  }
  if (!own)
    throw new Fault("invalid_params", "the agent has no model whose provider could be asked", { field: "model" });
  checkSpec(own);
  const usual = defaultModels[own.api];
  if (usual === undefined) {
    throw new Fault("invalid_params", `it is not known which model of ${own.provider} makes embeddings`, {
      field: "model",
      next: `name it in the header ${modelHeader}`,
    });
  }
  return { ...own, model: usual };
}

function checkSpec(spec: ModelSpec): ModelSpec {
  if (spec.api !== "anthropic" && spec.api !== "offline") return spec;
  throw new Fault("invalid_params", `${spec.provider} has no embeddings`, {
    field: "model",
    next: `name a model of another provider in the header ${modelHeader}, such as openai/${defaultModels.openai}`,
  });
}
