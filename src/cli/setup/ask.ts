// The questions of `onboard`, in their order. All of them are asked before anything is written.

import { Fault } from "../../base/fault.ts";
import { renderProblem } from "../../config/explain.ts";
import { defaultConfig } from "../../config/parse.ts";
import type { SourceFile } from "../../config/write.ts";
import { expandHome } from "../../platform/paths.ts";
import type { Answers } from "../../setup/answers.ts";
import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";
import { askChannel } from "./ask-channel.ts";
import { askGateway, askPort, askService } from "./ask-gateway.ts";
import { askModel, type Asking } from "./ask-model.ts";
import type { Wishes } from "./flags.ts";
import { isLocalPlan, type Plan } from "./plan.ts";
import { needed, type Prompts } from "./prompts.ts";
import { checkUrl } from "./remote.ts";
import type { Trials } from "./trials.ts";

export interface Interview {
  readonly prompts: Prompts;
  readonly source: SourceFile;
  readonly wishes: Wishes;
  readonly isRiskTaken: boolean;
  /** Answers beat the config; what is begun anew does not count. */
  readonly openTrials: (config: () => Config) => Trials;
}

export async function askPlan(context: Context, interview: Interview): Promise<Plan> {
  const { prompts, source, wishes } = interview;
  prompts.begin(`${context.brand.product}: first steps`);
  if (!interview.isRiskTaken) await askRisk(prompts);
  const isReset = wishes.isReset || (await askReset(context, prompts, source));
  const config = (isReset ? undefined : source.config) ?? defaultConfig();
  const flow = wishes.flow ?? (await askFlow(prompts));
  const remote = await askMode(prompts, { wishes, config, flow });
  const base = { isReset, skips: wishes.skips, notes: [] };
  if (remote) return { ...base, answers: { ...wishes.answers, ...remote }, authChoice: "skip", installsService: false };

  const trials = interview.openTrials(() => config);
  try {
    const asking: Asking = { prompts, config, trials, wishes };
    const { authChoice, model } = await askModel(context, asking);
    const { telegram, bot } = wishes.skips.channels ? {} : await askChannel(context, asking);
    const answers: Answers = {
      ...wishes.answers,
      mode: "local",
      ...(await askPlaces(context, asking, flow)),
      ...(model === undefined ? {} : { model }),
      ...(telegram === undefined ? {} : { telegram }),
    };
    const installsService = wishes.service ?? (await askService(context, prompts));
    const notes = bot === undefined ? [] : [tellPairing(context, bot)];
    return { ...base, answers, authChoice, installsService, notes };
  } finally {
    trials.close();
  }
}

const tellPairing = ({ command }: Context, bot: string) =>
  `Write to ${bot}: it answers with a code, because it does not know you yet. Then: ${command("pairing approve telegram <code>")}`;

async function askRisk(prompts: Prompts): Promise<void> {
  prompts.note(
    [
      "An agent acts with what you give it: accounts, files, programs.",
      "Whoever may write to it can ask it for things, and texts that it reads may try to.",
      "Let in only whom you trust, and give it no more than it needs.",
    ].join("\n"),
    "Before you begin",
  );
  const isTaken = await prompts.confirm({ message: "Go on?", initial: true });
  if (!isTaken) throw cancelled();
}

/** @returns true when the config begins anew. */
async function askReset({ paths }: Context, prompts: Prompts, source: SourceFile): Promise<boolean> {
  if (!source.exists) return false;
  const isBroken = source.config === undefined;
  if (isBroken)
    prompts.warn(
      ["The config has errors:", ...source.problems.map((problem) => renderProblem(paths.config, problem))].join("\n"),
    );
  const anew = { value: "reset", label: "Begin anew", hint: "its text until now is kept as .bak" } as const;
  const step = await prompts.choose({
    message: `There is a config: ${paths.config}`,
    options: isBroken
      ? [{ value: "cancel", label: "Stop here, and mend it by hand" }, anew]
      : [{ value: "keep", label: "Keep it", hint: "only what you answer is changed" }, anew],
  });
  if (step === "cancel") throw cancelled();
  return step === "reset";
}

const askFlow = (prompts: Prompts) =>
  prompts.choose({
    message: "How much do you want to decide?",
    options: [
      { value: "quickstart", label: "The usual", hint: "model, channel, service" },
      {
        value: "advanced",
        label: "Everything",
        hint: "also folder, port, who can reach it, secret, another machine's Gateway",
      },
    ],
  });

interface ModeAsking {
  readonly wishes: Wishes;
  readonly config: Config;
  readonly flow: "quickstart" | "advanced";
}

/** @returns what makes this machine a client; undefined when the Gateway runs here. */
async function askMode(
  prompts: Prompts,
  { wishes, config, flow }: ModeAsking,
): Promise<Pick<Answers, "mode" | "remote"> | undefined> {
  const { mode, remote } = wishes.answers;
  if (remote) return { mode: "remote", remote };
  if (mode !== undefined || (flow === "quickstart" && isLocalPlan({}, config))) return undefined;
  const chosen = await prompts.choose({
    message: "Where does the Gateway run?",
    options: [
      { value: "local", label: "On this machine" },
      { value: "remote", label: "Elsewhere", hint: "this machine is a client of it" },
    ],
    initial: isLocalPlan({}, config) ? "local" : "remote",
  });
  if (chosen === "local") return undefined;
  const url = await prompts.text({
    message: "Its address",
    initial: config.gateway.remote?.url ?? "",
    check: checkAddress,
  });
  const token = await prompts.secret({
    message: "Its token (leave it empty to keep what is there, or to pair this device)",
  });
  return { mode: "remote", remote: { url, ...(token === "" ? {} : { token }) } };
}

function checkAddress(text: string): string | undefined {
  try {
    checkUrl(text);
    return undefined;
  } catch {
    // the one thing that it can say
    return "an address such as wss://host:port";
  }
}

/** Folder, port and the rest; in the quick flow only what cannot be assumed. */
async function askPlaces(
  context: Context,
  asking: Asking,
  flow: "quickstart" | "advanced",
): Promise<Pick<Answers, "workspace" | "gateway">> {
  const given = asking.wishes.answers.gateway;
  if (flow === "quickstart") {
    const port = await askPort(context, asking);
    return port === undefined ? {} : { gateway: { ...given, port } };
  }
  const workspace = await askWorkspace(context, asking);
  return { workspace, gateway: await askGateway(context, asking) };
}

/** @returns an absolute path. */
export async function askWorkspace(
  { paths }: Context,
  { prompts, config, wishes }: Pick<Asking, "prompts" | "config" | "wishes">,
): Promise<string> {
  if (wishes.answers.workspace !== undefined) return wishes.answers.workspace;
  const initial = config.agents.defaults.workspace ?? paths.workspace;
  const text = await prompts.text({ message: "Folder that the agent works in", initial, check: needed });
  return expandHome(text, paths.home);
}

function cancelled(): Fault {
  return new Fault("aborted", "cancelled: nothing was written");
}
