// What `status --deep` and `--all` see beside the Gateway: its services, who else listens, and its own last words in the log.
// Loaded for them alone: services are asked by starting programs.

import { readOwner } from "../../platform/lock.ts";
import { logFileName } from "../../platform/log-name.ts";
import { tailLog } from "../../platform/log-tail.ts";
import { createMasks, maskTexts } from "../masks.ts";
import type { GatewayTarget, LoadedConfig } from "../connection.ts";
import type { Context } from "../context.ts";
import { listConfigured, type ConfiguredAccount } from "../channels/configured.ts";
import { parseLogLine } from "../render/log-line.ts";
import { inspectService, renderRuntime } from "../service/inspect.ts";
import { openCliServices } from "../service/open.ts";
import type { StatusReport } from "./report.ts";

export interface ServiceView {
  readonly label: string;
  readonly name: string;
  readonly installed: boolean;
  readonly loadedText: string;
  readonly runtimeShort: string;
  readonly issues: readonly string[];
}

export interface Diagnosis {
  readonly cli: { readonly version: string; readonly node: string; readonly product: string };
  readonly paths: Readonly<Record<"state" | "config" | "log" | "workspace", string>> & { readonly profile: string };
  readonly config: {
    readonly exists: boolean;
    readonly valid: boolean;
    readonly problems: readonly string[];
    readonly bind: string;
    readonly authMode: string;
    readonly secretSource: string;
    readonly tailscale: string;
    readonly reload: string;
    readonly channels: readonly ConfiguredAccount[];
  };
  readonly gatewayService: ServiceView;
  readonly nodeService: ServiceView;
  readonly otherServices: readonly string[];
  /** Who held the lock last; it may be gone. */
  readonly lastOwner: {
    readonly pid: number;
    readonly port: number;
    readonly version: string;
    readonly startedAt: number;
  } | null;
  /** The last warnings and errors, oldest first. */
  readonly logTrouble: readonly string[];
}

const maxTrouble = 12;

export async function diagnose(
  context: Context,
  { loaded, target }: { loaded: LoadedConfig; target: GatewayTarget },
): Promise<Diagnosis> {
  const { paths, brand, version } = context;
  const { config } = loaded;
  const log = logFileName({
    folder: paths.logs,
    prefix: paths.logPrefix,
    file: config.logging.file,
    now: context.clock.now(),
  });
  const services = await openCliServices(context, "gateway");
  const [gatewayService, nodeService, others, lastOwner, logTrouble] = await Promise.all([
    viewService(services),
    openCliServices(context, "node").then(viewService),
    services.others(true),
    readOwner(paths.lock),
    findTrouble(log),
  ]);
  return {
    cli: { version, node: process.version, product: brand.product },
    paths: {
      profile: paths.profile ?? "default",
      state: paths.state,
      config: paths.config,
      log,
      workspace: paths.workspace,
    },
    config: viewConfig(context, loaded, target),
    gatewayService,
    nodeService,
    otherServices: others.map(({ label, scope, detail }) => `${label} (${scope}, ${detail})`),
    lastOwner: lastOwner ?? null,
    logTrouble,
  };
}

function viewConfig(context: Context, loaded: LoadedConfig, { secret }: GatewayTarget): Diagnosis["config"] {
  const { config, snapshot, fault } = loaded;
  const { bind, auth, tailscale, reload } = config.gateway;
  const orElse = (value: string | undefined, usual: string) => value ?? usual;
  return {
    exists: snapshot === undefined || snapshot.exists,
    valid: fault === undefined,
    problems: fault === undefined ? [] : problemsIn(fault.message),
    bind: orElse(bind, "loopback"),
    authMode: orElse(auth.mode, orElse(secret?.mode, "token")),
    secretSource: orElse(secret?.source, "none"),
    tailscale: orElse(tailscale?.mode, "off"),
    reload: orElse(reload.mode, "hybrid"),
    channels: listConfigured(config, context),
  };
}

/** The first line says that there are some. */
const problemsIn = (message: string) =>
  message
    .split("\n")
    .slice(1)
    .map((line) => line.trim());

async function viewService(services: Awaited<ReturnType<typeof openCliServices>>): Promise<ServiceView> {
  const report = await inspectService(services, services.manager.read());
  return {
    label: report.label,
    name: report.name,
    installed: report.command !== null,
    loadedText: report.loaded ? report.loadedText : report.notLoadedText,
    runtimeShort: renderRuntime(report.runtime),
    issues: report.configAudit.issues.map(({ message }) => message),
  };
}

async function findTrouble(log: string): Promise<string[]> {
  const tail = await tailLog(log, { limit: 2_000 }).catch(() => undefined);
  const records = (tail?.lines ?? []).flatMap((line) => parseLogLine(line) ?? []);
  return records
    .filter(({ level }) => level === "warn" || level === "error" || level === "fatal")
    .slice(-maxTrouble)
    .map(({ time = "", level = "", subsystem = "", message }) => `${time} ${level} ${subsystem} ${message}`);
}

/** Fit to be shown to others: what is known as a secret here, or looks like one, is masked. */
export function maskReport<Report extends StatusReport & Partial<Diagnosis>>(
  report: Report,
  { config, target }: { config: LoadedConfig["config"]; target: GatewayTarget },
): Report {
  const masks = createMasks(() => config, [target.secret?.value]);
  // masking changes texts and nothing of their places
  return maskTexts(report, masks.patterns()) as Report;
}
