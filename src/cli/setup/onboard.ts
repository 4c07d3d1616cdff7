// `onboard`: from nothing to a first answer. Questions at a terminal, flags elsewhere; written once, when all is known.

import { Fault } from "../../base/fault.ts";
import { defaultConfig } from "../../config/parse.ts";
import type { Invocation, Run } from "../commands.ts";
import type { Context } from "../context.ts";
import { carryOut, type Outcome } from "./carry-out.ts";
import { readWishes, type Wishes } from "./flags.ts";
import { openSetup } from "./open.ts";
import { settlePlan, type Plan } from "./plan.ts";
import { hasPerson, isCancelled, openPrompts } from "./prompts.ts";
import { tellNext, tellOutcome, toJson } from "./outcome-text.ts";
import { openTrials } from "./trials.ts";

export const run: Run = async (context, invocation) => {
  const isQuiet = invocation.options["nonInteractive"] === true;
  if (isQuiet && invocation.options["acceptRisk"] !== true)
    throw new Fault("usage", "an agent acts with what it is given, and nobody is asked here", {
      field: "--accept-risk",
      next: "pass --accept-risk to say that you know",
    });
  if (!isQuiet) requirePerson(context);
  const wishes = await readWishes(context, invocation);
  if (isQuiet) return finish(context, await planByFlags(context, wishes));
  try {
    return await converse(context, invocation, wishes);
  } catch (error) {
    if (!isCancelled(error)) throw error;
    context.out.error(error.message);
    return 1;
  }
};

/** @throws Fault `usage` where nobody can be asked. */
export function requirePerson({ flags, command }: Context): void {
  if (hasPerson() && flags.json !== true) return;
  throw new Fault(
    "usage",
    flags.json === true ? "--json asks nothing" : "nobody can be asked here: this is no terminal",
    {
      next: `pass --non-interactive --accept-risk and what you want: ${command("onboard --help")}`,
    },
  );
}

async function planByFlags(context: Context, wishes: Wishes): Promise<Plan> {
  const source = await openSetup(context).writer.read();
  const config = (wishes.isReset ? undefined : source.config) ?? defaultConfig();
  const trials = openTrials(context, () => config);
  try {
    return await settlePlan(context, wishes, { config, trials });
  } finally {
    trials.close();
  }
}

async function converse(context: Context, { options }: Invocation, wishes: Wishes): Promise<number> {
  const prompts = await openPrompts();
  const { askPlan } = await import("./ask.ts");
  const source = await openSetup(context).writer.read();
  const plan = await askPlan(context, {
    prompts,
    source,
    wishes,
    isRiskTaken: options["acceptRisk"] === true,
    openTrials: (config) => openTrials(context, config),
  });
  prompts.end("Writing it down.");
  return finish(context, plan, async () =>
    prompts.confirm({ message: "Keep the Gateway running in this terminal?", initial: true }),
  );
}

/** `asks`: whether a Gateway that was started here stays; absent: it does not. */
async function finish(context: Context, plan: Plan, asks?: () => Promise<boolean>): Promise<number> {
  const outcome = await carryOut(context, plan);
  const { out, flags } = context;
  if (flags.json) out.json(await toJson(plan, outcome, context));
  else tellOutcome(plan, outcome, context);
  const code = outcome.problem === undefined && outcome.service?.isOk !== false ? 0 : 1;
  return end(context, outcome, { code, asks });
}

async function end(
  context: Context,
  outcome: Outcome,
  { code, asks }: { code: number; asks: (() => Promise<boolean>) | undefined },
): Promise<number> {
  const { gateway } = outcome;
  const { out, flags, command } = context;
  if (gateway?.isOurs === true && asks !== undefined && code === 0 && (await isWanted(asks))) {
    out.line(`It runs until Ctrl-C. In another terminal: ${command('agent --message "hello"')}`);
    return gateway.stay();
  }
  await gateway?.stop();
  if (!flags.json) tellNext(outcome, context);
  return code;
}

/** To leave the question is to say no. */
async function isWanted(asks: () => Promise<boolean>): Promise<boolean> {
  try {
    return await asks();
  } catch (error) {
    if (isCancelled(error)) return false;
    throw error;
  }
}
