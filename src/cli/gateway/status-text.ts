// `gateway status` for people: the service, the config of both sides, where the probe went and what came of it.

import type { OtherService } from "../../daemon/others.ts";
import type { Context } from "../context.ts";
import { cleanText } from "../render/text.ts";
import { renderInstances, renderPorts, type PortsReport } from "./status-ports.ts";
import { renderService, type ServiceReport } from "../service/inspect.ts";

export interface Probe {
  readonly ok: boolean;
  readonly url: string;
  readonly error?: string;
  readonly next?: string;
  readonly version?: string;
  /** Where the config that the Gateway works with comes from; `safe`: it serves nothing but what mends it. */
  readonly configSource?: string;
  readonly configProblems?: readonly string[];
}

export interface ConfigSide {
  readonly path: string;
  readonly exists: boolean;
  readonly valid: boolean;
  readonly issues: readonly string[] | undefined;
}

export interface Report extends PortsReport {
  readonly service: ServiceReport;
  readonly config: {
    readonly cli: ConfigSide;
    /** The service's; absent when there is none. */
    readonly daemon?: ConfigSide;
    readonly mismatch?: boolean;
  };
  readonly gateway: {
    readonly bindMode: string;
    readonly port: number | undefined;
    readonly portSource: string;
    readonly probeUrl: string;
    /** Absent without TLS; `fingerprint` null: whatever certificate the system trusts is taken. */
    readonly tls?: { readonly fingerprint: string | null };
    readonly authSource: string;
  };
  readonly stateDir: string;
  readonly logFile: string;
  readonly extraServices: readonly OtherService[];
  readonly lastError?: string;
  readonly rpc?: Probe;
}

export function renderStatus(context: Context, report: Report): void {
  const { out } = context;
  const { rpc } = report;
  renderService(context, report.service);
  out.line();
  renderConfig(context, report);
  out.line(`State: ${report.stateDir}`);
  out.line(`Log: ${report.logFile}`);
  out.line();
  const { gateway } = report;
  out.line(`Gateway: bind=${gateway.bindMode}, port=${gateway.port ?? "-"} (${gateway.portSource})`);
  out.line(`Secret: ${gateway.authSource === "none" ? "none" : `from ${gateway.authSource}`}`);
  out.line(`Probe target: ${gateway.probeUrl}`);
  if (gateway.tls) out.line(`TLS: ${gateway.tls.fingerprint ?? "a certificate that this system trusts"}`);
  renderProbe(context, report);
  renderPorts(context, report, rpc?.ok);
  if (report.lastError !== undefined) out.line(`Last gateway error: ${cleanText(report.lastError)}`);
  renderInstances(context, report);
  renderOthers(context, report.extraServices);
}

function renderProbe({ out }: Context, { rpc, port, service }: Report): void {
  if (rpc) {
    const outcome = rpc.ok ? out.style("green", "ok") : `${out.style("red", "failed")}: ${rpc.error ?? ""}`;
    out.line(`RPC probe: ${outcome}`);
    if (rpc.next) out.line(`next: ${rpc.next}`);
    for (const problem of rpc.configProblems ?? [])
      out.line(out.style("yellow", `Config in use (${rpc.configSource ?? "file"}): ${cleanText(problem)}`));
  }
  const isClosed = rpc ? !rpc.ok : port?.status === "free";
  if (isClosed && service.runtime.status === "running")
    out.line(out.style("yellow", "The service appears to run, and its port does not answer."));
}

function renderConfig({ out }: Context, { config }: Report): void {
  const { daemon } = config;
  const line = (name: string, { path, exists, valid }: ConfigSide) =>
    out.line(
      `${name}: ${path}${exists ? "" : " (missing: defaults)"}${valid ? "" : out.style("red", " (has errors)")}`,
    );
  line(daemon ? "Config (cli)" : "Config", config.cli);
  for (const issue of config.cli.issues ?? []) out.line(`  ${issue}`);
  if (!daemon) return;
  line("Config (service)", daemon);
  if (daemon.path === config.cli.path) return;
  for (const issue of daemon.issues ?? []) out.line(`  ${issue}`);
  out.line(
    out.style(
      "yellow",
      "This command and the service look at different configs: use its --profile, or install it anew.",
    ),
  );
}

function renderOthers({ out }: Context, others: readonly OtherService[]): void {
  if (others.length === 0) return;
  out.line();
  out.line("Other services that look like a Gateway:");
  for (const { label, scope, detail, cleanup } of others) {
    out.line(`  ${cleanText(label)} (${scope}, ${cleanText(detail)})`);
    out.line(`    to remove it: ${cleanup.map(cleanText).join(" && ")}`);
  }
  out.line("One Gateway on a machine is enough for most; several need a --profile and a port each.");
}
