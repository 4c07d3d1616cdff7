// `status` for people: a few lines; with `--deep` and `--all` tables that can be read over a shoulder or put into a report.

import type { HealthSnapshot, MethodResult } from "../../protocol/contract.ts";
import type { Context } from "../context.ts";
import { renderAge, renderTable } from "../render/output.ts";
import { renderSize } from "../render/size.ts";
import { cleanText } from "../render/text.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { StatusReport } from "./report.ts";

export function renderShort(context: Context, report: StatusReport): void {
  const { out } = context;
  const { gateway } = report;
  if (!gateway.reachable) {
    out.line(`Gateway: ${out.style("red", "not reachable")} at ${gateway.url} (${gateway.error})`);
    out.line(`next: ${gateway.next}`);
  } else renderReached(context, report);
}

function renderReached({ out }: Context, report: StatusReport): void {
  const { gateway } = report;
  out.line(`Gateway: ${out.style("green", "reachable")} at ${gateway.url}`);
  for (const { message, next } of report.configProblems ?? [])
    out.line(out.style("yellow", `Config: ${cleanText(message)}; ${next}`));
  for (const line of report.channelSummary ?? []) out.line(cleanText(line));
  out.line(`Model: ${report.sessions?.defaults.model ?? "none"}`);
  out.line(`Queue: ${renderQueue(report)}`);
  out.line(`Last 24 h: ${renderErrors(report)}`);
  out.line(`Disk: ${renderDisk(report.disk)}`);
  out.line(`Sessions: ${report.sessions?.count ?? 0}`);
  for (const session of report.sessions?.recent ?? []) out.line(`  ${session.key} (${renderAge(ageOf(session))})`);
}

/** What is kept, of how much, and where most of it is. */
export function renderDisk(disk: HealthSnapshot["disk"]): string {
  if (!disk) return "not known yet";
  const { usedBytes, budgetBytes, freeBytes, biggest } = disk;
  const where = biggest.slice(0, 3).map(({ name, bytes }) => `${cleanText(name)} ${renderSize(bytes)}`);
  return [
    `${renderSize(usedBytes)}${budgetBytes === null ? "" : ` of ${renderSize(budgetBytes)}`}`,
    ...(where.length > 0 ? [` (${where.join(", ")})`] : []),
    ...(freeBytes === null ? [] : [`; ${renderSize(freeBytes)} free`]),
  ].join("");
}

const renderQueue = ({ queue }: StatusReport) =>
  queue ? `${queue.running} running, ${queue.queued} waiting, ${queue.outboxPending} to send` : "unknown";

function renderErrors({ errors }: StatusReport): string {
  if (!errors) return "unknown";
  const dropped = Object.values(errors.dropped).reduce((sum, count) => sum + count, 0);
  return `${errors.failedTurns} failed turns, ${errors.failedSends} refused sends, ${errors.unknownSends} unconfirmed sends, ${dropped} messages not let in`;
}

/** Sessions are open for what Gateways add. */
const ageOf = (session: object) => (session as { age?: number | null }).age;

/** Everything; nothing in it is a secret. */
export function renderAll(context: Context, report: StatusReport & Diagnosis): void {
  const { out } = context;
  const heading = (text: string) => {
    out.line();
    out.line(out.style("bold", text));
  };
  out.line(out.style("bold", `${report.cli.product} status (secrets are masked)`));
  out.line(renderTable(overviewRows(report)));
  for (const problem of [...report.config.problems, ...(report.configProblems ?? []).map(({ message }) => message)])
    out.line(out.style("yellow", `Config: ${cleanText(problem)}`));
  heading("Channels");
  renderChannels(context, report);
  heading("Sessions");
  const rows = (report.sessions?.recent ?? []).map((session) => [
    session.key,
    renderAge(ageOf(session)),
    modelOf(session),
  ]);
  out.line(rows.length === 0 ? "none" : renderTable([["KEY", "ACTIVE", "MODEL"], ...rows]));
  renderDeep(context, report);
  if (report.usage) renderUsage(context, report.usage);
  heading("Last warnings and errors in the log");
  for (const line of report.logTrouble) out.line(cleanText(line));
  if (report.logTrouble.length === 0) out.line("none");
  out.line();
  out.line(
    `More: ${context.command("logs --follow")} · ${context.command("doctor")} · ${context.command("gateway status --deep")}`,
  );
  if (!report.gateway.reachable) out.line(`next: ${report.gateway.next}`);
}

const modelOf = (session: object) => (session as { model?: string | null }).model ?? "";

function overviewRows(report: StatusReport & Diagnosis): string[][] {
  const { cli, paths, config, gateway, os, gatewayService, nodeService, lastOwner, agents } = report;
  const self = gateway.self ? [gateway.self.host, gateway.self.platform].filter(Boolean).join(", ") : "";
  const reached = gateway.reachable
    ? `reachable at ${gateway.url} (${gateway.connectLatencyMs} ms), version ${gateway.version}${self === "" ? "" : `, ${self}`}`
    : `not reachable at ${gateway.url} (${gateway.urlSource}): ${gateway.error}`;
  const owner = lastOwner ? `pid ${lastOwner.pid}, port ${lastOwner.port}, version ${lastOwner.version}` : "none";
  return [
    ["Version", `${cli.version} (Node ${cli.node})`],
    ["System", os.label],
    ["Profile", paths.profile],
    ["State", paths.state],
    ["Config", `${paths.config}${config.exists ? "" : " (missing: defaults)"}${config.valid ? "" : " (has errors)"}`],
    ["Log", paths.log],
    ["Gateway", reached],
    ["Held last by", owner],
    ["Bind", config.bind],
    ["Secret", `${config.authMode}, from ${config.secretSource}`],
    ["Tailscale", config.tailscale],
    ["Reload", config.reload],
    ["Service", renderServiceView(gatewayService)],
    ["Node service", renderServiceView(nodeService)],
    [
      "Agents",
      agents ? agents.agents.map(({ id }) => (id === agents.defaultId ? `${id} (default)` : id)).join(", ") : "unknown",
    ],
    ["Model", report.sessions?.defaults.model ?? "unknown"],
    ["Queue", renderQueue(report)],
    ["Last 24 h", renderErrors(report)],
    ["Disk", renderDisk(report.disk)],
    ["Events waiting", String(report.queuedSystemEvents?.length ?? "unknown")],
  ];
}

function renderServiceView({ label, name, installed, loadedText, runtimeShort }: Diagnosis["gatewayService"]): string {
  return installed ? `${label} ${name} (${loadedText}), ${runtimeShort}` : `${label}: not installed`;
}

/** What was asked of platforms and services. */
export function renderDeep(context: Context, report: StatusReport & Diagnosis): void {
  const { out } = context;
  out.line();
  out.line(out.style("bold", "Health"));
  if (report.health) renderProbes(context, report.health);
  else out.line("unknown: the Gateway does not answer");
  out.line();
  out.line(out.style("bold", "Services"));
  for (const service of [report.gatewayService, report.nodeService]) {
    out.line(cleanText(renderServiceView(service)));
    for (const issue of service.issues) out.line(out.style("yellow", `  ${cleanText(issue)}`));
  }
  for (const other of report.otherServices) out.line(`also there: ${cleanText(other)}`);
}

function renderProbes({ out }: Context, health: HealthSnapshot): void {
  out.line(`Gateway: ${health.ok ? out.style("green", "ok") : out.style("red", "not ok")} (${health.durationMs} ms)`);
  for (const id of health.channelOrder) {
    const label = health.channelLabels[id] ?? id;
    for (const [accountId, account] of Object.entries(health.channels[id]?.accounts ?? {}))
      out.line(cleanText(`${label} ${accountId}: ${describeAccount(account)}`));
  }
  for (const problem of health.problems ?? []) {
    out.line(`${out.style("yellow", "problem:")} ${cleanText(problem.message)}`);
    if (problem.next) out.line(`  next: ${cleanText(problem.next)}`);
  }
}

interface Account {
  readonly configured?: boolean;
  readonly connected?: boolean;
  readonly reason?: string;
  readonly username?: string;
  readonly lastInboundAgeMs?: number | null;
  readonly lastOutboundAgeMs?: number | null;
  readonly lastPollAgeMs?: number | null;
  readonly probe?: { readonly ok?: boolean; readonly elapsedMs?: number; readonly error?: string };
}

/** One line of an account: how it is, who it is, how long its platform took, and when it last did what (R35). */
export function describeAccount(account: object): string {
  // accounts are open for what Gateways add
  const { configured, connected, reason, username, probe, ...ages } = account as Account;
  if (configured === false) return "not configured";
  const probed = probe?.ok === true ? "ok" : `probe failed: ${probe?.error ?? "no reason given"}`;
  return [
    reason ?? (connected === true ? "connected" : "connecting"),
    ...(username ? [`@${username}`] : []),
    ...(probe ? [`${probed} (${probe.elapsedMs ?? "?"} ms)`] : []),
    `polled ${renderAge(ages.lastPollAgeMs)}`,
    `received ${renderAge(ages.lastInboundAgeMs)}`,
    `sent ${renderAge(ages.lastOutboundAgeMs)}`,
  ].join(", ");
}

function renderChannels({ out }: Context, report: StatusReport & Diagnosis): void {
  const lines = report.channelSummary;
  if (lines && lines.length > 0) {
    for (const line of lines) out.line(cleanText(line));
    return;
  }
  const rows = report.config.channels.map(({ id, account, enabled, configured, tokenSource }) => [
    id,
    account,
    enabled ? "on" : "off",
    configured ? "configured" : "not configured",
    tokenSource === undefined ? "" : `token from ${tokenSource}`,
  ]);
  out.line(rows.length === 0 ? "none" : renderTable([["CHANNEL", "ACCOUNT", "ENABLED", "STATE", "DETAIL"], ...rows]));
}

export function renderUsage({ out }: Context, usage: MethodResult<"usage.cost">): void {
  out.line();
  out.line(out.style("bold", `Usage of the last ${usage.days} days`));
  const row = (name: string, { input, output, totalTokens, totalCost }: MethodResult<"usage.cost">["totals"]) => [
    name,
    String(input),
    String(output),
    String(totalTokens),
    `$${totalCost.toFixed(2)}`,
  ];
  out.line(
    renderTable([
      ["DAY", "INPUT", "OUTPUT", "TOKENS", "COST"],
      ...usage.daily.slice(-7).map((day) => row(day.date, day)),
      row("all", usage.totals),
    ]),
  );
}
