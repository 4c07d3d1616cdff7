// `setup`: config, token and workspace, without a question. Done twice it changes nothing.

import { expandHome } from "../../platform/paths.ts";
import { applySetup, type SetupReport } from "../../setup/apply.ts";
import type { Run } from "../commands.ts";
import type { Context } from "../context.ts";
import { openSetup, textOf } from "./open.ts";
import { readMode } from "./remote.ts";

export const run: Run = async (context, invocation) => {
  if (invocation.options["wizard"] === true) return (await import("./onboard.ts")).run(context, invocation);
  const workspace = textOf(invocation, "workspace");
  const answers = {
    ...(await readMode(invocation)),
    ...(workspace === undefined ? {} : { workspace: expandHome(workspace.trim(), context.paths.home) }),
  };
  const report = await applySetup(answers, {}, openSetup(context));
  if (context.flags.json) context.out.json(toJson(report, context));
  else tell(report, context);
  return 0;
};

function toJson(report: SetupReport, context: Context) {
  const { mode, workspace, secret } = report;
  return {
    ok: true,
    mode,
    config: { path: context.paths.config, changed: report.isConfigChanged },
    ...(workspace === undefined ? {} : { workspace: workspace.folder, created: workspace.created }),
    ...(secret === undefined ? {} : { auth: { mode: secret.mode, source: secret.source, created: secret.isNew } }),
    warnings: secret?.warnings ?? [],
    next: nextStep(report, context),
  };
}

/** What was written, for people. */
export function describeSetup({ isConfigNew, isConfigChanged, workspace, secret }: SetupReport, config: string) {
  const state = (isNew: boolean, isChanged = false) => (isNew ? "made" : isChanged ? "changed" : "as it was");
  return [
    `Config     ${config} (${state(isConfigNew, isConfigChanged)})`,
    ...(secret === undefined
      ? []
      : [`${secret.mode === "token" ? "Token   " : "Password"}   ${secret.source} (${state(secret.isNew)})`]),
    ...(workspace === undefined
      ? []
      : [
          `Workspace  ${workspace.folder} (${workspace.created.length > 0 ? `new: ${workspace.created.join(", ")}` : "as it was"})`,
        ]),
  ];
}

function tell(report: SetupReport, context: Context): void {
  const { out, paths } = context;
  for (const line of describeSetup(report, paths.config)) out.line(line);
  for (const warning of report.secret?.warnings ?? []) out.error(`warning: ${warning}`);
  out.line(`next: ${nextStep(report, context)}`);
}

function nextStep({ mode }: SetupReport, { command }: Context): string {
  if (mode === "remote") return command("status");
  return `${command("gateway")} (or ${command("onboard")} for a model, a channel and a service)`;
}
