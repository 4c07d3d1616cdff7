// `configure`, and `config` alone at a terminal: some of the questions of `onboard`, over what is there.

import { Fault } from "../../base/fault.ts";
import { withoutGaps } from "../../base/json.ts";
import type { Answers } from "../../setup/answers.ts";
import type { Config } from "../../settings/config.ts";
import type { Invocation, Run } from "../commands.ts";
import type { Context } from "../context.ts";
import { carryOut } from "./carry-out.ts";
import { readWishes } from "./flags.ts";
import { openSetup } from "./open.ts";
import { tellNext, tellOutcome } from "./outcome-text.ts";
import { hasPerson, isCancelled, openPrompts, type Prompts } from "./prompts.ts";
import { openTrials } from "./trials.ts";

const sections = [
  { value: "workspace", label: "Workspace", hint: "the folder that the agent works in" },
  { value: "model", label: "Model", hint: "who answers, with which key" },
  { value: "channels", label: "Channels", hint: "where people write to it" },
  { value: "gateway", label: "Gateway", hint: "port, who can reach it, secret" },
  { value: "daemon", label: "Service", hint: "whether it starts with the machine" },
  { value: "health", label: "Health", hint: "how the running Gateway is" },
] as const;

type Section = (typeof sections)[number]["value"];

export const run: Run = async (context, invocation) => {
  const wanted = readSections(invocation);
  if (!hasPerson() || context.flags.json === true)
    throw new Fault("usage", "configure asks, and nobody can be asked here", {
      next: `set keys one by one: ${context.command("config set <path> <value>")}, or use ${context.command("onboard --non-interactive")}`,
    });
  const prompts = await openPrompts();
  try {
    return await converse(context, { prompts, wanted, wishes: await readWishes(context, invocation) });
  } catch (error) {
    if (!isCancelled(error)) throw error;
    context.out.error(error.message);
    return 1;
  }
};

/** Bare `config`: the same at a terminal; elsewhere what there is to type. */
export const runBare: Run = async (context, invocation) => {
  if (hasPerson() && context.flags.json !== true) return run(context, invocation);
  const { parseArguments } = await import("../arguments.ts");
  const parsed = parseArguments(context.brand, context.version, ["config", "--help"]);
  if ("exitCode" in parsed) context.out.printed(parsed);
  return 0;
};

/** What older programs ask about as well. */
const later: readonly string[] = ["web", "skills"];

/** `--section a --section b`, `--section a b` and `--section a,b`. @throws Fault `usage` for one that is not there. */
function readSections({ options }: Invocation): readonly Section[] {
  const given: unknown = options["section"];
  const words = (Array.isArray(given) ? given : typeof given === "string" ? [given] : []).flatMap((text) =>
    String(text).split(","),
  );
  return words.map((word) => {
    const found = sections.find(({ value }) => value === word.trim());
    if (found) return found.value;
    const isLater = later.includes(word.trim());
    throw new Fault("usage", isLater ? `--section ${word}: not in this version yet` : `Invalid --section: ${word}`, {
      field: "--section",
      next: `use one of: ${sections.map(({ value }) => value).join(", ")}`,
    });
  });
}

interface Conversation {
  readonly prompts: Prompts;
  readonly wanted: readonly Section[];
  readonly wishes: Awaited<ReturnType<typeof readWishes>>;
}

async function converse(context: Context, { prompts, wanted, wishes }: Conversation): Promise<number> {
  const { config, problems } = await openSetup(context).writer.read();
  if (config === undefined)
    throw new Fault("config_invalid", `the config has errors: ${problems[0]?.message ?? "it cannot be read"}`, {
      next: `${context.command("config validate")} shows them all`,
    });
  prompts.begin(`${context.brand.product}: ${context.paths.config}`);
  const chosen =
    wanted.length > 0 ? wanted : await prompts.chooseMany({ message: "What shall change?", options: sections });
  const answers = await askSections(context, config, { prompts, wanted: chosen, wishes });
  const { askService } = await import("./ask-gateway.ts");
  const installsService = chosen.includes("daemon") && (await askService(context, prompts));
  const isChanged = chosen.some((section) => section !== "health");
  prompts.end(isChanged ? "Writing it down." : "Nothing to write.");
  return isChanged ? finish(context, { answers, installsService, wanted: chosen }) : showHealth(context);
}

async function askSections(
  context: Context,
  config: Config,
  { prompts, wanted, wishes }: Conversation,
): Promise<Answers> {
  const trials = openTrials(context, () => config);
  const asking = { prompts, config, trials, wishes };
  const has = (section: Section) => wanted.includes(section);
  try {
    const [{ askWorkspace }, { askModel }, { askChannel }, { askGateway }] = await Promise.all([
      import("./ask.ts"),
      import("./ask-model.ts"),
      import("./ask-channel.ts"),
      import("./ask-gateway.ts"),
    ]);
    const workspace = has("workspace") ? await askWorkspace(context, asking) : undefined;
    const model = has("model") ? (await askModel(context, asking)).model : undefined;
    const telegram = has("channels") ? (await askChannel(context, asking)).telegram : undefined;
    const gateway = has("gateway") ? await askGateway(context, asking) : undefined;
    return withoutGaps({ workspace, model, telegram, gateway });
  } finally {
    trials.close();
  }
}

interface Finishing {
  readonly answers: Answers;
  readonly installsService: boolean;
  readonly wanted: readonly Section[];
}

async function finish(context: Context, { answers, installsService, wanted }: Finishing): Promise<number> {
  const skips = { channels: false, health: true, skills: true };
  const plan = { answers, isReset: false, authChoice: "skip", installsService, skips, notes: [] };
  const outcome = await carryOut(context, plan);
  tellOutcome(plan, outcome, context);
  if (wanted.includes("health")) return showHealth(context);
  tellNext(outcome, context);
  return outcome.service?.isOk === false ? 1 : 0;
}

async function showHealth(context: Context): Promise<number> {
  const { run: health } = await import("../health.ts");
  return health(context, { options: {}, args: [] });
}
