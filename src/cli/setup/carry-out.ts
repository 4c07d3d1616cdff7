// A plan is carried out: written in one go, then the service, then a first answer from the agent.

import { Fault } from "../../base/fault.ts";
import { applySetup, type SetupReport } from "../../setup/apply.ts";
import { withClient } from "../connection.ts";
import type { Context } from "../context.ts";
import { cleanText } from "../render/text.ts";
import { openSetup } from "./open.ts";
import type { Plan } from "./plan.ts";
import { reachGateway, type RunningGateway } from "./running.ts";

export interface ServiceOutcome {
  readonly isOk: boolean;
  readonly message: string;
  readonly warnings: readonly string[];
  readonly hints: readonly string[];
}

export interface FirstAnswer {
  readonly text: string;
  /** `provider/model`, where it is told. */
  readonly model: string | undefined;
}

export interface Outcome {
  readonly report: SetupReport;
  readonly service: ServiceOutcome | undefined;
  readonly answer: FirstAnswer | undefined;
  /** What keeps the agent from answering; all that was written stays. */
  readonly problem: Fault | undefined;
  /** Undefined when none was asked for, or could be had. */
  readonly gateway: RunningGateway | undefined;
}

/** A model on a machine of one's own may have to be loaded first. */
const answerSeconds = 120;
const startMs = 20_000;

export async function carryOut(context: Context, plan: Plan): Promise<Outcome> {
  const report = await applySetup(plan.answers, { isReset: plan.isReset }, openSetup(context));
  const service = plan.installsService ? await installService(context) : undefined;
  const nothing = { report, service, answer: undefined, problem: undefined, gateway: undefined };
  if (plan.skips.health) return nothing;
  const isElsewhere = report.mode === "remote";
  try {
    const gateway = await reachGateway(context, {
      mayStart: !isElsewhere && service?.isOk !== true,
      timeoutMs: startMs,
    });
    if (isElsewhere) return { ...nothing, gateway };
    return { ...nothing, gateway, ...(await firstAnswer(context)) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { ...nothing, problem: error };
  }
}

/** What `gateway install` does and says. */
async function installService(context: Context): Promise<ServiceOutcome> {
  const { installGateway } = await import("../service/install.ts");
  let said: Record<string, unknown> = {};
  const out = {
    ...context.out,
    json(value: unknown) {
      // made by service/report
      said = value as Record<string, unknown>;
    },
  };
  const code = await installGateway(
    { ...context, out, flags: { ...context.flags, json: true } },
    { options: {}, args: [] },
  );
  const list = (name: string) => (Array.isArray(said[name]) ? (said[name] as string[]) : []);
  return {
    isOk: code === 0,
    message: String(said["message"] ?? said["error"] ?? ""),
    warnings: list("warnings"),
    hints: list("hints"),
  };
}

async function firstAnswer(context: Context): Promise<Pick<Outcome, "answer" | "problem">> {
  const opening = { scopes: ["operator.admin"], timeoutMs: 10_000, needsValidConfig: true };
  try {
    const params = {
      message: "Hello! Say in one sentence who you are.",
      idempotencyKey: context.ids.uuid(),
      timeout: answerSeconds,
    };
    const told = await withClient(context, opening, (client) =>
      client.call("agent", params, { timeoutMs: (answerSeconds + 10) * 1000, isFinal: true }),
    );
    if (told.status !== "ok") return { answer: undefined, problem: new Fault("agent_failed", told.summary) };
    const text = cleanText((told.result?.payloads ?? []).map((payload) => payload.text ?? "").join("\n\n")).trim();
    const { provider, model } = told.result?.meta.agentMeta ?? {};
    return { answer: { text, model: provider && model ? `${provider}/${model}` : undefined }, problem: undefined };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { answer: undefined, problem: error };
  }
}
