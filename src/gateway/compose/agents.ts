// What thinks: the models that the config names, and the turns that agents take with them.

import { createModelCheck } from "../../agent/checks.ts";
import { createCooldowns } from "../../agent/cooldowns.ts";
import { createEmbed } from "../../agent/embeddings.ts";
import { createModelViews, type ModelViews } from "../../agent/model-views.ts";
import { chooseModels, type ModelChoice } from "../../agent/models.ts";
import { openModel } from "../../agent/providers/open.ts";
import { recordModel } from "../../agent/recording.ts";
import { createTurnRunner } from "../../agent/turn.ts";
import type { Check } from "../../ports/check.ts";
import type { Embed } from "../../ports/embedding.ts";
import type { Tool } from "../../ports/tool.ts";
import type { TurnRunner } from "../../ports/turn.ts";
import { toAgentDefaults } from "../policies.ts";
import type { Ground } from "./ground.ts";

export interface Agents {
  /** Of the agent, or of the one by default; `override` is a `provider/model` that goes before its own. */
  readonly models: (override?: string, agentId?: string) => ModelChoice;
  readonly modelViews: ModelViews;
  readonly runTurn: TurnRunner;
  readonly embed: Embed;
  readonly check: Check;
}

export function createAgents(ground: Ground, { tools }: { readonly tools: () => readonly Tool[] }): Agents {
  const { options, config, env, egress, metrics, telemetry } = ground;
  const { clock, log } = options;
  const settings = (agentId?: string) => ({
    defaults: toAgentDefaults(config(), agentId),
    providers: config().models.providers,
    env: env.raw,
  });
  const models = (override?: string, agentId?: string) => chooseModels(settings(agentId), override);
  const runTurn = createTurnRunner({
    chooseModels: models,
    openModel: async (spec) => {
      const model = telemetry.traceModel(metrics.measureModel(await openModel(spec, { fetch: egress.fetch, clock })));
      return options.recordModel ? recordModel(model, { record: options.recordModel, clock }) : model;
    },
    cooldowns: createCooldowns(clock),
    tools,
    clock,
    log: log.child("agent"),
  });
  return {
    models,
    modelViews: createModelViews(settings),
    runTurn: telemetry.traceTurns(metrics.measureTurns(runTurn)),
    embed: createEmbed({ chooseModels: models, fetch: egress.fetch }),
    check: createModelCheck(() => models()),
  };
}
