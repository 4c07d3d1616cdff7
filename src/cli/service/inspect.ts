// What there is to know of a service without changing it: its manager's word, its file, and what is wrong with it.

import { auditService, type AuditIssue } from "../../daemon/audit.ts";
import type { InstalledDefinition } from "../../daemon/definition.ts";
import type { ServiceManager, ServiceRuntime } from "../../daemon/service.ts";
import { cleanText } from "../render/text.ts";
import type { Context } from "../context.ts";
import { findLauncher, type OpenedServices } from "./open.ts";

export interface ServiceReport {
  readonly label: string;
  readonly name: string;
  readonly scope: "user" | "system";
  readonly loaded: boolean;
  readonly loadedText: string;
  readonly notLoadedText: string;
  /** null when nothing is installed. */
  readonly command: {
    readonly programArguments: readonly string[];
    readonly workingDirectory: string | undefined;
    /** Where it looks, and nothing else of its environment: older ones held secrets. */
    readonly environment: Readonly<Record<string, string>>;
    readonly sourcePath: string;
  } | null;
  readonly runtime: ServiceRuntime;
  /** What to type to the system itself; absent when nothing is installed. */
  readonly byHand?: ServiceManager["byHand"];
  readonly configAudit: { readonly ok: boolean; readonly issues: readonly AuditIssue[] };
}

const sigtermStatus = 143;
const shown = /_(?:PROFILE|STATE_DIR|CONFIG_PATH|GATEWAY_PORT|NIX_MODE)$/u;

/** `reading`: its file, as the manager reads it; the manager is asked meanwhile. */
export async function inspectService(
  { manager, kind }: OpenedServices,
  reading: Promise<InstalledDefinition | undefined>,
): Promise<ServiceReport> {
  const [{ isLoaded, runtime }, installed] = await Promise.all([manager.status(), reading]);
  const issues = installed
    ? await auditService(installed, { kind, platform: process.platform, launcher: await findLauncher() })
    : [];
  return {
    label: manager.label,
    name: manager.name,
    scope: manager.scope,
    loaded: isLoaded,
    loadedText: manager.loadedText,
    notLoadedText: manager.notLoadedText,
    command: installed
      ? {
          programArguments: installed.program,
          workingDirectory: installed.workingDirectory,
          environment: Object.fromEntries(Object.entries(installed.environment).filter(([name]) => shown.test(name))),
          sourcePath: installed.path,
        }
      : null,
    runtime,
    ...(installed ? { byHand: manager.byHand } : {}),
    configAudit: { ok: issues.length === 0, issues },
  };
}

export function renderService(context: Context, report: ServiceReport): void {
  const { out } = context;
  const { runtime, command } = report;
  out.line(`Service: ${report.label} (${report.loaded ? report.loadedText : report.notLoadedText}), ${report.name}`);
  if (command) {
    out.line(`Command: ${cleanText(command.programArguments.join(" "))}`);
    out.line(`Service file: ${command.sourcePath}`);
    if (command.workingDirectory !== undefined) out.line(`Working dir: ${cleanText(command.workingDirectory)}`);
    const pairs = Object.entries(command.environment).map(([name, value]) => `${name}=${value}`);
    if (pairs.length > 0) out.line(`Service env: ${cleanText(pairs.join(" "))}`);
  }
  for (const { message } of report.configAudit.issues) out.line(out.style("yellow", `Service issue: ${message}`));
  out.line(`Runtime: ${renderRuntime(runtime)}`);
  if (runtime.cachedLabel === true)
    out.line("The service still runs, and its file is gone: uninstall it, or install it anew");
  if (runtime.next !== undefined) out.line(`next: ${runtime.next}`);
  if (report.byHand) out.line(`By hand: ${report.byHand.restart} (restart), ${report.byHand.stop} (stop)`);
}

/** Who ends with 143 was asked to by SIGTERM: that is no crash. */
function renderExit({ lastExitReason, lastExitStatus }: ServiceRuntime): string[] {
  if (lastExitStatus === sigtermStatus) return [`last exit: asked to stop (${sigtermStatus})`];
  if (lastExitReason !== undefined) return [`last exit: ${lastExitReason}`];
  return lastExitStatus === undefined ? [] : [`last exit ${lastExitStatus}`];
}

export function renderRuntime(runtime: ServiceRuntime): string {
  const { status, detail, missingUnit } = runtime;
  if (missingUnit === true) return `${status} (not installed)`;
  const words = [
    ...(runtime.pid === undefined ? [] : [`pid ${runtime.pid}`]),
    ...(runtime.state === undefined ? [] : [`state ${runtime.state}`]),
    ...(runtime.subState === undefined ? [] : [`sub ${runtime.subState}`]),
    ...renderExit(runtime),
    ...(runtime.lastRunResult === undefined ? [] : [`last result ${runtime.lastRunResult}`]),
    ...(runtime.lastRunTime === undefined ? [] : [`last run ${runtime.lastRunTime}`]),
    ...(detail === undefined ? [] : [detail]),
  ];
  return cleanText(words.length === 0 ? status : `${status} (${words.join(", ")})`);
}
