// `gateway status`: is a Gateway reachable, and do this CLI and it look at the same things. Exit code 0 also when it is down.

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
import type { Context } from "../context.ts";

interface Probe {
  readonly ok: boolean;
  readonly url: string;
  readonly error?: string;
  readonly next?: string;
  readonly version?: string;
}

export const run: Run = async (context, { options }) => {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const { config, snapshot, fault } = await readConfig(context);
  const target = await findGateway(context, config);
  const rpc = options["probe"] === false ? undefined : await probe(context, target, timeoutMs);
  const report = createReport(context, { config, snapshot, fault }, target);
  const whole = rpc ? { ...report, rpc } : report;
  if (context.flags.json) context.out.json(whole);
  else render(context, report, rpc);
  return 0;
};

function createReport(
  { paths, clock }: Context,
  { config, snapshot, fault }: LoadedConfig,
  target: GatewayTarget,
): Report {
  const issues = fault?.message.split("\n").slice(1);
  return {
    config: {
      cli: {
        path: paths.config,
        exists: snapshot?.exists ?? true,
        valid: fault === undefined,
        issues: issues?.map((line) => line.trim()),
      },
    },
    gateway: {
      bindMode: config.gateway.bind ?? "loopback",
      port: target.port?.port,
      portSource: target.port?.source ?? target.source,
      probeUrl: target.url,
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
    const version = await withClient(context, options, async (client) => {
      await client.call("status", {}, { timeoutMs });
      return client.hello.server.version;
    });
    return { ok: true, url: target.url, version };
  } catch (error) {
    if (!(error instanceof Fault) || error.code === "usage") throw error;
    return { ok: false, url: target.url, error: error.message, ...(error.next ? { next: error.next } : {}) };
  }
}

interface Report {
  readonly config: {
    readonly cli: {
      readonly path: string;
      readonly exists: boolean;
      readonly valid: boolean;
      readonly issues: readonly string[] | undefined;
    };
  };
  readonly gateway: {
    readonly bindMode: string;
    readonly port: number | undefined;
    readonly portSource: string;
    readonly probeUrl: string;
    readonly authSource: string;
  };
  readonly stateDir: string;
  readonly logFile: string;
}

function render({ out }: Context, report: Report, rpc: Probe | undefined): void {
  const { cli } = report.config;
  out.line(
    `Config: ${cli.path}${cli.exists ? "" : " (missing: defaults)"}${cli.valid ? "" : out.style("red", " (has errors)")}`,
  );
  for (const issue of cli.issues ?? []) out.line(`  ${issue}`);
  out.line(`State: ${report.stateDir}`);
  out.line(`Log: ${report.logFile}`);
  out.line(
    `Gateway: bind=${report.gateway.bindMode}, port=${report.gateway.port ?? "-"} (${report.gateway.portSource})`,
  );
  const { authSource } = report.gateway;
  out.line(`Secret: ${authSource === "none" ? "none" : `from ${authSource}`}`);
  out.line(`Probe target: ${report.gateway.probeUrl}`);
  if (!rpc) return;
  out.line(`RPC probe: ${rpc.ok ? out.style("green", "ok") : `${out.style("red", "failed")}: ${rpc.error ?? ""}`}`);
  if (rpc.next) out.line(`next: ${rpc.next}`);
}
