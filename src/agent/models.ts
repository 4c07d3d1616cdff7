// Which models may answer, in which order, and with which keys. Reads settings and environment; opens nothing.

import type { Config } from "../settings/config.ts";

/** Everything needed to open a model. */
export interface ModelSpec {
  readonly provider: string;
  readonly model: string;
  readonly api: "anthropic" | "openai" | "google" | "openai-compatible" | "offline";
  readonly baseUrl: string | undefined;
  readonly apiKey: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly contextWindow: number;
  readonly maxOutputTokens: number;
}

export interface ModelSettings {
  readonly defaults: Config["agents"]["defaults"];
  readonly providers: Config["models"]["providers"];
  readonly env: (name: string) => string | undefined;
}

export const offlineRef = "offline/demo";

type ProviderSettings = Config["models"]["providers"][string];
type ModelLimits = NonNullable<ProviderSettings["models"]>[number];

/** A model named in the config that cannot be used, and why. */
export interface UnusableModel {
  readonly ref: string;
  readonly reason: string;
  readonly next: string;
  /** A key is all that it lacks. */
  readonly isKeyMissing: boolean;
}

export interface ModelChoice {
  /** In the order in which they are asked; the offline demo when nothing else is set up, and only then. */
  readonly specs: readonly ModelSpec[];
  readonly unusable: readonly UnusableModel[];
  /** The same question for a model that nothing asks; undefined: it could be asked. */
  readonly whyUnusable: (ref: string) => UnusableModel | undefined;
}

interface BuiltIn {
  readonly api: ModelSpec["api"];
  /** Variables that may hold its key, in the order in which they are looked at. */
  readonly keys: readonly [string, ...string[]];
  /** Asked when the key is there and the config names no model. */
  readonly defaultModel: string;
}

/** Providers that need no address. */
export const builtIns: Readonly<Record<"anthropic" | "openai" | "google", BuiltIn>> = {
  anthropic: { api: "anthropic", keys: ["ANTHROPIC_API_KEY"], defaultModel: "claude-opus-4-5" },
  openai: { api: "openai", keys: ["OPENAI_API_KEY"], defaultModel: "gpt-5.2" },
  google: { api: "google", keys: ["GEMINI_API_KEY", "GOOGLE_API_KEY"], defaultModel: "gemini-2.5-pro" },
};

const findBuiltIn = (provider: string): BuiltIn | undefined =>
  Object.entries(builtIns).find(([id]) => id === provider)?.[1];

const apis: Readonly<Record<string, ModelSpec["api"]>> = {
  "anthropic-messages": "anthropic",
  "openai-responses": "openai",
  "openai-completions": "openai-compatible",
  "google-generative-ai": "google",
};

const defaultWindow = 200_000;
const defaultOutput = 8_192;

/** `override` is a `provider/model` asked for by the request; it goes before the configured ones. */
export function chooseModels(settings: ModelSettings, override?: string): ModelChoice {
  const refs = [...new Set([...(override ? [override] : []), ...configuredRefs(settings)])];
  const specs: ModelSpec[] = [];
  const unusable: UnusableModel[] = [];
  for (const ref of refs) {
    const resolved = resolveRef(ref, settings);
    if ("reason" in resolved) unusable.push(resolved);
    else specs.push(resolved);
  }
  if (refs.length === 0) specs.push(offlineSpec);
  const why = (ref: string) => {
    const resolved = resolveRef(ref, settings);
    return "reason" in resolved ? resolved : undefined;
  };
  return { specs, unusable, whyUnusable: why };
}

function configuredRefs(settings: ModelSettings): string[] {
  const { model } = settings.defaults;
  if (typeof model === "string") return [model];
  if (model?.primary) return [model.primary, ...(model.fallbacks ?? [])];
  // nothing is named: the first provider that has a key
  for (const [id, { defaultModel }] of Object.entries(builtIns)) {
    if (keyOf(id, settings)) return [`${id}/${defaultModel}`, ...(model?.fallbacks ?? [])];
  }
  return model?.fallbacks ?? [];
}

const offlineSpec: ModelSpec = {
  provider: "offline",
  model: "demo",
  api: "offline",
  baseUrl: undefined,
  apiKey: undefined,
  headers: {},
  contextWindow: defaultWindow,
  maxOutputTokens: defaultOutput,
};

function keyOf(provider: string, { providers, env }: ModelSettings): string | undefined {
  const configured = providers[provider]?.apiKey?.trim();
  if (configured) return configured;
  const names = findBuiltIn(provider)?.keys ?? [`${provider.toUpperCase().replaceAll(/[^A-Z0-9]/gu, "_")}_API_KEY`];
  return names.map((name) => env(name)).find((value) => value !== undefined);
}

/** `provider/model`; undefined when it is not of that form. */
export function parseRef(ref: string): { readonly provider: string; readonly model: string } | undefined {
  const slash = ref.indexOf("/");
  const model = ref.slice(slash + 1);
  return slash <= 0 || model === "" ? undefined : { provider: ref.slice(0, slash), model };
}

function resolveRef(ref: string, settings: ModelSettings): ModelSpec | UnusableModel {
  if (ref === offlineRef) return offlineSpec;
  const named = parseRef(ref);
  if (!named) {
    const next = "write it as anthropic/claude-opus-4-5";
    return { ref, reason: "not of the form provider/model", next, isKeyMissing: false };
  }
  const { provider, model } = named;
  const apiKey = keyOf(provider, settings);
  return whyUnusable({ ref, provider, apiKey }, settings) ?? createSpec({ provider, model, apiKey }, settings);
}

function whyUnusable(
  named: { ref: string; provider: string; apiKey: string | undefined },
  settings: ModelSettings,
): UnusableModel | undefined {
  const { ref, provider, apiKey } = named;
  // a server with an address of its own may do without a key; the vendors do not
  if (settings.providers[provider]?.baseUrl) return undefined;
  const builtIn = findBuiltIn(provider);
  if (!builtIn) {
    const next = `set models.providers.${provider}.baseUrl to its OpenAI-compatible API`;
    return { ref, reason: `unknown provider ${provider}`, next, isKeyMissing: false };
  }
  if (apiKey) return undefined;
  const next = `set ${builtIn.keys[0]} or models.providers.${provider}.apiKey`;
  return { ref, reason: `no API key for ${provider}`, next, isKeyMissing: true };
}

function createSpec(
  named: { provider: string; model: string; apiKey: string | undefined },
  settings: ModelSettings,
): ModelSpec {
  const { provider, model, apiKey } = named;
  const configured: ProviderSettings = settings.providers[provider] ?? {};
  const limits: ModelLimits = configured.models?.find((candidate) => candidate.id === model) ?? { id: model };
  return {
    provider,
    model,
    api: decideApi(provider, limits.api ?? configured.api),
    baseUrl: configured.baseUrl,
    apiKey,
    headers: { ...configured.headers, ...limits.headers },
    ...decideLimits(limits, settings.defaults.contextTokens),
  };
}

function decideApi(provider: string, configured: string | undefined): ModelSpec["api"] {
  return apis[configured ?? ""] ?? findBuiltIn(provider)?.api ?? "openai-compatible";
}

function decideLimits(
  limits: ModelLimits,
  assumedWindow = defaultWindow,
): Pick<ModelSpec, "contextWindow" | "maxOutputTokens"> {
  const contextWindow = limits.contextWindow ?? assumedWindow;
  return {
    contextWindow,
    maxOutputTokens: Math.min(limits.maxTokens ?? defaultOutput, Math.floor(contextWindow / 2)),
  };
}
