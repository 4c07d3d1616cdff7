// What came of a plan, for people and programs.

import { withoutGaps } from "../../base/json.ts";
import { decidePort } from "../../platform/paths.ts";
import { readConfig } from "../connection.ts";
import type { Context } from "../context.ts";
import type { FirstAnswer, Outcome } from "./carry-out.ts";
import type { Plan } from "./plan.ts";
import { describeSetup } from "./setup.ts";

export function tellOutcome(plan: Plan, outcome: Outcome, context: Context): void {
  const { out, paths } = context;
  const { report, service, answer, problem } = outcome;
  for (const line of describeSetup(report, paths.config)) out.line(line);
  if (service?.isOk === true) out.line(`Service    ${service.message}`);
  for (const warning of listWarnings(outcome)) out.error(`warning: ${warning}`);
  for (const note of plan.notes) out.line(note);
  if (answer) tellAnswer(answer, context);
  if (problem) out.fault(problem);
}

function tellAnswer({ model, text }: FirstAnswer, { out }: Context): void {
  out.line();
  out.line(`${out.style("bold", model ?? "The agent")} says:`);
  out.line(text);
  out.line();
}

function listWarnings({ report, service }: Outcome): readonly string[] {
  return [
    ...(report.secret?.warnings ?? []),
    ...(service?.isOk === false ? [`no service was installed: ${service.message}`, ...service.hints] : []),
    ...(service?.warnings ?? []),
  ];
}

/** The form of older versions, and what came of it. */
export async function toJson(plan: Plan, outcome: Outcome, context: Context) {
  const { report, service, answer, problem } = outcome;
  const { workspace, secret } = report;
  return {
    ok: problem === undefined && service?.isOk !== false,
    mode: report.mode,
    ...withoutGaps({ workspace: workspace?.folder, created: workspace?.created }),
    authChoice: plan.authChoice,
    gateway: await describeGateway(outcome, context),
    installDaemon: plan.installsService,
    ...(plan.installsService ? { daemonRuntime: "node" } : {}),
    skipSkills: plan.skips.skills,
    skipHealth: plan.skips.health,
    config: { path: context.paths.config, changed: report.isConfigChanged },
    ...withoutGaps({
      auth: secret && { source: secret.source, created: secret.isNew },
      service: service && { ok: service.isOk, message: service.message, hints: service.hints },
      answer,
      error: problem && { code: problem.code, message: problem.message, next: problem.next },
    }),
    warnings: [...listWarnings(outcome), ...plan.notes],
  };
}

async function describeGateway({ report }: Outcome, context: Context) {
  const { config } = await readConfig(context);
  const { bind, port, tailscale } = config.gateway;
  return {
    port: decidePort({ env: context.env, configured: port, profile: context.paths.profile }).port,
    bind: bind ?? "loopback",
    authMode: report.secret?.mode ?? "token",
    tailscaleMode: tailscale?.mode ?? "off",
  };
}

/** Nothing where something went wrong: that has a next step of its own. */
export function tellNext({ report, gateway, service, problem }: Outcome, { out, command }: Context): void {
  if (problem) return;
  const isRunning = gateway === undefined ? service?.isOk === true : !gateway.isOurs;
  const words = report.mode === "remote" ? "status" : isRunning ? 'agent --message "hello"' : "gateway";
  out.line(`next: ${command(words)}`);
}
