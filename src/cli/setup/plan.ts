// What will be written and done. Nothing of it has happened: a plan is whole, or there is none.

import { Fault } from "../../base/fault.ts";
import { withoutGaps } from "../../base/json.ts";
import { parseRef } from "../../agent/models.ts";
import type { Answers, ModelAnswer } from "../../setup/answers.ts";
import type { CheckResult } from "../../setup/model-check.ts";
import type { ProviderChoice } from "../../setup/providers.ts";
import type { Config } from "../../settings/config.ts";
import { readWhere } from "./key-place.ts";
import type { Context } from "../context.ts";
import type { Wishes } from "./flags.ts";
import { choosePort } from "./known-ports.ts";
import type { Trials } from "./trials.ts";

export interface Plan {
  readonly answers: Answers;
  readonly isReset: boolean;
  /** An id of setup/providers, or `skip`. */
  readonly authChoice: string;
  readonly installsService: boolean;
  readonly skips: Wishes["skips"];
  /** What its owner should know before it is carried out. */
  readonly notes: readonly string[];
}

/** The plan of the flags alone: what nobody said is as it is, or left out. @throws Fault when a key is missing or does not work. */
export async function settlePlan(
  context: Context,
  wishes: Wishes,
  { config, trials }: { config: Config; trials: Trials },
): Promise<Plan> {
  const { answers, skips, isReset } = wishes;
  const base = { isReset, skips, notes: [] };
  if (!isLocalPlan(answers, config)) return { ...base, answers, authChoice: "skip", installsService: false };
  const provider = wishes.provider ?? "skip";
  const port = await choosePort(context, answers, config);
  const gateway = port === undefined ? answers.gateway : { ...answers.gateway, port };
  const model = provider === "skip" ? undefined : settleModel(provider, { wishes, config, context });
  const telegram = skips.channels ? undefined : wishes.telegram;
  if (wishes.isTried) {
    if (model) expectWorks(await trials.model(model));
    if (telegram) expectWorks(await trials.telegram(telegram));
  }
  return {
    ...base,
    answers: { ...answers, ...withoutGaps({ gateway, model, telegram }) },
    authChoice: provider === "skip" ? provider : provider.id,
    installsService: wishes.service === true,
  };
}

export const isLocalPlan = ({ mode }: Answers, config: Config) => (mode ?? config.gateway.mode ?? "local") === "local";

interface Settling {
  readonly wishes: Wishes;
  readonly config: Config;
  readonly context: Context;
}

function settleModel(provider: ProviderChoice, { wishes, config, context }: Settling): ModelAnswer {
  const { model } = wishes;
  const place = readWhere(provider, config, (name) => context.env.raw(name));
  if (provider.isKeyNeeded && model.apiKey === undefined && place === undefined) {
    const flag = `--${provider.id}`;
    throw new Fault("usage", `no key for ${provider.label}`, {
      field: flag,
      next: `pass ${flag} - (it is read from stdin), or set ${provider.variables[0]}`,
    });
  }
  return completeModel(provider, model, config);
}

/** @throws Fault `usage` when no model is named and the provider has no usual one. */
export function completeModel(provider: ProviderChoice, given: Partial<ModelAnswer>, config: Config): ModelAnswer {
  const name = given.ref ?? provider.defaultModel;
  if (name === undefined)
    throw new Fault("usage", "which model?", { field: "--custom-model-id", next: "pass --custom-model-id <model>" });
  const isPlaced = config.models.providers[provider.provider]?.baseUrl !== undefined;
  const baseUrl = given.baseUrl ?? (isPlaced ? undefined : provider.baseUrl);
  const ref = toRef(provider.provider, name);
  return { ref, provider: provider.provider, ...withoutGaps({ apiKey: given.apiKey, baseUrl }) };
}

/** Models of routers have slashes in their names: only the provider's own id in front counts as one. */
export function toRef(provider: string, name: string): string {
  return parseRef(name)?.provider === provider ? name : `${provider}/${name}`;
}

function expectWorks(tried: CheckResult): void {
  if (tried.isOk) return;
  throw new Fault("agent_failed", tried.reason, { next: `${tried.next}; --no-check keeps it without a try` });
}
