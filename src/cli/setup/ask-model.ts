// Which model answers, with which key, kept where; tried before it is taken.

import type { ModelAnswer } from "../../setup/answers.ts";
import { findProvider, providerChoices, type ProviderChoice } from "../../setup/providers.ts";
import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";
import { isWebAddress, type Wishes } from "./flags.ts";
import { readWhere } from "./key-place.ts";
import { completeModel } from "./plan.ts";
import { needed, type Prompts } from "./prompts.ts";
import type { Trials } from "./trials.ts";

export interface Asking {
  readonly prompts: Prompts;
  readonly config: Config;
  readonly trials: Trials;
  readonly wishes: Wishes;
}

export interface ModelPlan {
  readonly authChoice: string;
  readonly model?: ModelAnswer;
}

const later: ModelPlan = { authChoice: "skip" };

export async function askModel(context: Context, asking: Asking): Promise<ModelPlan> {
  const { prompts, wishes, trials } = asking;
  let given = wishes;
  for (;;) {
    const provider = given.provider ?? (await askProvider(context, asking));
    if (provider === "skip") return later;
    const model = await askDetails(context, provider, { ...asking, wishes: given });
    const taken = { authChoice: provider.id, model };
    if (!wishes.isTried) return taken;
    prompts.step(`Trying ${model.ref} …`);
    const tried = await trials.model(model);
    if (tried.isOk) {
      prompts.done(`${tried.who} answers.`);
      return taken;
    }
    prompts.warn(`${tried.reason}\n${tried.next}`);
    const step = await prompts.choose({
      message: "What now?",
      options: [
        { value: "again", label: "Choose again" },
        { value: "keep", label: "Keep it as it is" },
        { value: "later", label: "Go on without a model" },
      ],
    });
    if (step === "later") return later;
    if (step === "keep") return taken;
    // what the flags said did not work
    given = { ...given, provider: undefined, model: {} };
  }
}

async function askProvider(context: Context, { prompts, config }: Asking): Promise<ProviderChoice | "skip"> {
  const env = (name: string) => context.env.raw(name);
  const placed = providerChoices.map((choice) => ({ choice, place: readWhere(choice, config, env) }));
  const known = placed.find(({ place }) => place !== undefined);
  const id = await prompts.choose({
    message: "Who shall answer?",
    options: [
      ...placed.map(({ choice, place }) => ({
        value: choice.id,
        label: choice.label,
        hint:
          place === undefined
            ? choice.hint
            : `its key is in ${place.kind === "config" ? "the config" : place.variable}`,
      })),
      { value: "skip", label: "Later", hint: "until then the built-in demo answers; there is no AI behind it" },
    ],
    ...(known ? { initial: known.choice.id } : {}),
  });
  return findProvider(id) ?? "skip";
}

async function askDetails(context: Context, provider: ProviderChoice, asking: Asking): Promise<ModelAnswer> {
  const { prompts, config, wishes } = asking;
  const { model } = wishes;
  const isOwnServer = provider.baseUrl !== undefined;
  const baseUrl =
    model.baseUrl ??
    (isOwnServer
      ? await prompts.text({
          message: "Address of its API",
          initial: config.models.providers[provider.provider]?.baseUrl ?? provider.baseUrl ?? "",
          check: (text) => (isWebAddress(text) ? undefined : "an address such as http://127.0.0.1:1234/v1"),
        })
      : undefined);
  const apiKey = model.apiKey ?? (await askKey(context, provider, asking));
  const ref =
    model.ref ?? (await prompts.text({ message: "Model", initial: provider.defaultModel ?? "", check: needed }));
  const given = { ref, ...(baseUrl === undefined ? {} : { baseUrl }), ...(apiKey === undefined ? {} : { apiKey }) };
  return completeModel(provider, given, config);
}

/** @returns undefined where the key stays where it is, or none is needed. */
async function askKey(
  context: Context,
  provider: ProviderChoice,
  { prompts, config }: Asking,
): Promise<string | undefined> {
  const place = readWhere(provider, config, (name) => context.env.raw(name));
  const type = () =>
    prompts.secret({
      message: `Key for ${provider.label} (kept in the config file, which only you can read)`,
      check: needed,
    });
  if (place?.kind === "config") {
    const isKept = await prompts.confirm({ message: "The config has a key. Keep it?", initial: true });
    return isKept ? undefined : type();
  }
  if (place?.kind === "environment") return askPlace(context, place.variable, { prompts, type });
  if (provider.isKeyNeeded) return type();
  if (provider.id !== "custom-api-key") return undefined;
  return (await prompts.confirm({ message: "Does it need a key?", initial: false })) ? type() : undefined;
}

/** A secret that this terminal's environment holds: there, into the config, or another one. */
export async function askPlace(
  context: Context,
  variable: string,
  { prompts, type }: { prompts: Prompts; type: () => Promise<string> },
): Promise<string | undefined> {
  const step = await prompts.choose({
    message: `${variable} is set in this terminal. Where shall the Gateway find it?`,
    options: [
      { value: "copy", label: "In the config file", hint: "copied now; a service finds it too" },
      { value: "environment", label: `In ${variable}`, hint: "nothing is written; a service does not get it" },
      { value: "other", label: "Type another one" },
    ],
  });
  if (step === "other") return type();
  return step === "copy" ? context.env.raw(variable) : undefined;
}
