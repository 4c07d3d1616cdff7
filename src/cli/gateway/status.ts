// `gateway status`: how the service is, apart from it whether a Gateway is reachable, and do this CLI and both look at the same
// things. Exit code 0 also when it is down, unless --require-rpc asks for it.

import { Fault } from "../../base/fault.ts";
import { logFileName } from "../../platform/log-name.ts";
import type { Run } from "../commands.ts";
import {
  findGateway,
  parseTimeout,
  readConfig,
  withClient,
  type GatewayTarget,
  type LoadedConfig,
} from "../connection.ts";
import type { Config } from "../../settings/config.ts";
import type { InstalledDefinition } from "../../daemon/definition.ts";
import type { Context } from "../context.ts";
import { findLastError, toServiceSide } from "../service/gateway-side.ts";
import { inspectService, type ServiceReport } from "../service/inspect.ts";
import { openCliServices } from "../service/open.ts";
import { inspectPorts } from "./status-ports.ts";
import { renderStatus, type ConfigSide, type Probe, type Report } from "./status-text.ts";

export const run: Run = async (context, { options }) => {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const services = await openCliServices(context, "gateway");
  const reading = services.manager.read();
  const isProbed = options["probe"] !== false;
  // the service's system takes as long to answer as all the rest
  const [service, { loaded, target, side, rpc, ports }, extraServices] = await Promise.all([
    inspectService(services, reading),
    reading.then((installed) =>
      inspectGateway(context, { installed, home: services.home, timeoutMs: isProbed ? timeoutMs : undefined }),
    ),
    services.others(options["deep"] === true),
  ]);
  const lastError = needsExplaining(service, rpc?.ok ?? ports.port?.status !== "free")
    ? await findLastError(services.manager)
    : undefined;
  const { config, ...rest } = createReport(context, loaded, target);
  const report: Report = {
    service,
    config: side ? { ...config, daemon: side, mismatch: side.path !== config.cli.path } : config,
    ...rest,
    ...ports,
    extraServices,
    ...(lastError === undefined ? {} : { lastError }),
    ...(rpc ? { rpc: advise(context, rpc, { service, ports, logsCommand: services.manager.logsCommand }) } : {}),
  };
  if (context.flags.json) context.out.json(report);
  else renderStatus(context, report);
  return options["requireRpc"] === true ? toExitCode(rpc) : 0;
};

/** It runs and does not answer, or it keeps ending. */
function needsExplaining({ command, runtime }: ServiceReport, isAnswered: boolean): boolean {
  if (runtime.state === "failed" || runtime.subState === "auto-restart") return true;
  return command !== null && !isAnswered && runtime.status !== "stopped";
}

const toExitCode = (rpc: Probe | undefined) => (rpc?.ok === true ? 0 : 1);

interface Around {
  readonly service: ServiceReport;
  readonly ports: Pick<Report, "port">;
  readonly logsCommand: string;
}

/** Where a service is to answer and nobody listens, a Gateway started by hand would only be in its way. */
function advise({ flags, command }: Context, rpc: Probe, { service, ports, logsCommand }: Around): Probe {
  const isItsPort = service.command !== null && flags.url === undefined;
  if (rpc.ok || !isItsPort || ports.port?.status !== "free") return rpc;
  const { status, state } = service.runtime;
  if (status === "running" || state === "failed") return { ...rpc, next: `its output says why: ${logsCommand}` };
  return status === "stopped" ? { ...rpc, next: command("gateway start") } : rpc;
}

interface Inspecting {
  readonly installed: InstalledDefinition | undefined;
  /** Of the service's user. */
  readonly home: string;
  /** Of the probe; absent: none. */
  readonly timeoutMs: number | undefined;
}

async function inspectGateway(context: Context, { installed, home, timeoutMs }: Inspecting) {
  const loaded = await readConfig(context);
  const { target, side, seen } = await findTarget(context, { loaded, installed, home });
  const own = seen.context === context ? target : await findGateway(context, loaded.config);
  const [rpc, ports] = await Promise.all([
    timeoutMs === undefined ? undefined : probe(context, target, timeoutMs),
    inspectPorts({ ...seen, port: target.port?.port, cliPort: own.port?.port }),
  ]);
  return { loaded, target, side, rpc, ports };
}

const serviceArgs = "service args";

/** Where to probe: where `--url` says, else where the service is, else where every other command looks. */
async function findTarget(
  context: Context,
  { loaded, installed, home }: { loaded: LoadedConfig; installed: InstalledDefinition | undefined; home: string },
): Promise<{ target: GatewayTarget; side: ConfigSide | undefined; seen: { context: Context; config: Config } }> {
  const here = { context, config: loaded.config };
  if (!installed) return { target: await findGateway(context, loaded.config), side: undefined, seen: here };
  const { context: theirs, port } = toServiceSide(context, installed, home);
  const theirConfig = await readConfig(theirs);
  const side = describeConfig(theirs, theirConfig);
  if (context.flags.url !== undefined) return { target: await findGateway(context, loaded.config), side, seen: here };
  const seen = { context: theirs, config: theirConfig.config };
  const target = await findGateway(theirs, theirConfig.config);
  if (port === undefined || target.port === undefined || !/^\d{1,5}$/u.test(port)) return { target, side, seen };
  const url = new URL(target.url);
  url.port = port;
  const chosen = { port: Number(port), source: "--port" } as const;
  return {
    side,
    seen,
    target: { ...target, url: url.href.replace(/\/$/u, ""), source: serviceArgs, port: chosen },
  };
}

function describeConfig({ paths }: Context, { snapshot, fault }: LoadedConfig): ConfigSide {
  const issues = fault?.message.split("\n").slice(1);
  return {
    path: paths.config,
    exists: snapshot?.exists ?? true,
    valid: fault === undefined,
    issues: issues?.map((line) => line.trim()),
  };
}

function createReport(
  context: Context,
  loaded: LoadedConfig,
  target: GatewayTarget,
): Pick<Report, "config" | "gateway" | "stateDir" | "logFile"> {
  const { paths, clock } = context;
  const { config } = loaded;
  return {
    config: { cli: describeConfig(context, loaded) },
    gateway: {
      bindMode: config.gateway.bind ?? "loopback",
      port: target.port?.port,
      portSource: target.source === serviceArgs ? serviceArgs : (target.port?.source ?? target.source),
      probeUrl: target.url,
      ...(target.url.startsWith("wss:") ? { tls: { fingerprint: target.fingerprint ?? null } } : {}),
      authSource: target.secret?.source ?? "none",
    },
    stateDir: paths.state,
    logFile: logFileName({
      folder: paths.logs,
      prefix: paths.logPrefix,
      file: config.logging.file,
      now: clock.now(),
    }),
  };
}

async function probe(context: Context, target: GatewayTarget, timeoutMs: number): Promise<Probe> {
  try {
    const options = { scopes: ["operator.read"], timeoutMs, mode: "probe", target };
    return await withClient(context, options, async (client) => {
      const { configSource, configProblems = [] } = await client.call("status", {}, { timeoutMs });
      const { version } = client.hello.server;
      const told = configProblems.map(({ message, next }) => `${message}; ${next}`);
      return { ok: true, url: target.url, version, ...(configSource ? { configSource } : {}), configProblems: told };
    });
  } catch (error) {
    if (!(error instanceof Fault) || error.code === "usage") throw error;
    return { ok: false, url: target.url, error: error.message, ...(error.next ? { next: error.next } : {}) };
  }
}
