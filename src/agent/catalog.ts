// `agents.list`, `models.list`, `tools.catalog`, `commands.list`: what there is to choose from, and nothing that is not there.

import { checkAgent, mainKey, type RoutePolicy } from "../conversation/route.ts";
import { stopCommand } from "../conversation/stop-word.ts";
import type { HandlersOf } from "../ports/method.ts";
import type { Tool } from "../ports/tool.ts";
import type { MethodResult } from "../protocol/contract.ts";
import type { Config } from "../settings/config.ts";
import { offlineRef, parseRef, type ModelChoice } from "./models.ts";

export interface CatalogDependencies {
  readonly config: () => Config;
  readonly routePolicy: () => RoutePolicy;
  /** What one agent asks; absent: what all do that have no model of their own. */
  readonly models: (agentId?: string) => ModelChoice;
  readonly tools: () => readonly Tool[];
}

type Names = "agents.list" | "models.list" | "tools.catalog" | "commands.list";
type ModelRow = MethodResult<"models.list">["models"][number];

export function createCatalogHandlers(dependencies: CatalogDependencies): HandlersOf<Names> {
  const { config, routePolicy, models, tools } = dependencies;
  return {
    async "agents.list"() {
      const { agentIds, defaultAgentId, scope } = routePolicy();
      const configured = new Map(config().agents.list.map((agent) => [agent.id.toLowerCase(), agent]));
      return {
        defaultId: defaultAgentId,
        mainKey,
        scope,
        agents: agentIds.map((id) => {
          const { name, identity } = configured.get(id) ?? {};
          const shown = withoutBlanks(identity ?? {});
          return {
            id,
            ...withoutBlanks({ name }),
            ...(Object.keys(shown).length > 0 ? { identity: shown } : {}),
            model: renderModel(models(id)),
          };
        }),
      };
    },
    async "models.list"() {
      return { models: listModels(config(), models()) };
    },
    async "tools.catalog"({ params }) {
      const policy = routePolicy();
      const agentId = params.agentId === undefined ? policy.defaultAgentId : checkAgent(params.agentId, policy);
      const rows = tools().map(({ name, description }) => ({
        id: name,
        label: toLabel(name),
        description,
        source: "core" as const,
        defaultProfiles: [],
      }));
      return { agentId, profiles: [], groups: [{ id: "core", label: "Built in", source: "core", tools: rows }] };
    },
    async "commands.list"({ params }) {
      if (params.scope === "native") return { commands: [] };
      const { name, words, description } = stopCommand;
      const fixed = { category: "session", source: "native", scope: "text", acceptsArgs: false } as const;
      return { commands: [{ name, textAliases: words, description, ...fixed }] };
    },
  };
}

/** Those asked in turn first, then those that cannot be, then what the providers list besides. */
function renderModel({ specs }: ModelChoice) {
  const [primary, ...fallbacks] = specs.map((spec) => `${spec.provider}/${spec.model}`);
  return { ...(primary ? { primary } : {}), ...(fallbacks.length > 0 ? { fallbacks } : {}) };
}

function listModels(config: Config, choice: ModelChoice): ModelRow[] {
  const { providers } = config.models;
  const ready = new Set(choice.specs.map((spec) => `${spec.provider}/${spec.model}`));
  const listed = Object.entries(providers).flatMap(([provider, { models = [] }]) =>
    models.map((model) => `${provider}/${model.id}`),
  );
  const refs = [...new Set([...ready, ...choice.unusable.map(({ ref }) => ref), ...listed])];
  return refs.flatMap((ref) => {
    const named = parseRef(ref);
    if (!named) return [];
    const unusable = ready.has(ref) ? undefined : choice.whyUnusable(ref);
    return [
      {
        id: named.model,
        provider: named.provider,
        name: ref === offlineRef ? "Offline demo" : named.model,
        ...withoutBlanks({ alias: config.agents.defaults.models?.[ref]?.alias }),
        available: unusable === undefined,
        ...(unusable?.isKeyMissing ? { unavailableReason: "missing-auth" as const } : {}),
        ...describeModel(config, named),
      },
    ];
  });
}

/** What the provider's section says of it. */
function describeModel(
  config: Config,
  { provider, model }: NonNullable<ReturnType<typeof parseRef>>,
): Partial<ModelRow> {
  const entry = config.models.providers[provider]?.models?.find((candidate) => candidate.id === model);
  if (!entry) return {};
  const { name, contextWindow, reasoning } = entry;
  return {
    ...withoutBlanks({ name }),
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(reasoning === undefined ? {} : { reasoning }),
  };
}

/** `session_status` -> `Session status`. */
function toLabel(name: string): string {
  const words = name.replaceAll(/[_-]+/gu, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function withoutBlanks<Key extends string>(texts: Readonly<Partial<Record<Key, string | undefined>>>) {
  const filled = Object.entries<string | undefined>(texts).filter(
    ([, text]) => text !== undefined && text.trim() !== "",
  );
  // the same keys, fewer of them
  return Object.fromEntries(filled) as Partial<Record<Key, string>>;
}
