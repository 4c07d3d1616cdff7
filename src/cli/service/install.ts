// `gateway install` and `node install`: write the service, start it, and say what keeps it from working.

import { dirname } from "node:path";

import { Fault } from "../../base/fault.ts";
import { listDifferences, planService } from "../../daemon/definition.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../../platform/files.ts";
import { decidePort } from "../../platform/paths.ts";
import type { Invocation, Run } from "../commands.ts";
import { readConfig } from "../connection.ts";
import type { Context } from "../context.ts";
import { findLauncher, openCliServices, type OpenedServices } from "./open.ts";
import { findPortWarnings } from "./port-warnings.ts";
import { report, type Done } from "./report.ts";
import { checkRuntime } from "./runtime.ts";

interface Wanted {
  readonly args: readonly string[];
  readonly port?: number;
  readonly warnings: readonly string[];
}

export const installGateway: Run = async (context, invocation) => {
  checkRuntime(invocation.options["runtime"], "--runtime");
  const services = await openCliServices(context, "gateway");
  return report(context, { action: "install", services }, () =>
    install(context, services, { invocation, decide: () => decideGateway(context, invocation) }),
  );
};

export const installNode: Run = async (context, invocation) => {
  const services = await openCliServices(context, "node");
  return report(context, { action: "install", services }, () =>
    install(context, services, { invocation, decide: () => Promise.resolve(decideNode(context, invocation)) }),
  );
};

async function install(
  context: Context,
  services: OpenedServices,
  { invocation, decide }: { invocation: Invocation; decide: () => Promise<Wanted> },
): Promise<Done> {
  const { manager, names, kind, profile, home } = services;
  const { brand, env, paths, version } = context;
  if (env.get("NIX_MODE") === "1")
    throw new Fault("usage", "services are declared in Nix on this machine", { next: "declare it there" });
  if (manager.scope === "system")
    throw new Fault("usage", `${manager.path} already makes it a service of the whole machine`, {
      next: `change that file, or remove it first to have a service of your user`,
    });
  const wanted = await decide();
  const definition = planService({
    brand,
    version,
    env,
    paths,
    names,
    kind,
    profile,
    home,
    platform: process.platform,
    launcher: await findLauncher(),
    args: wanted.args,
    ...(wanted.port === undefined ? {} : { port: wanted.port }),
  });
  const { isLoaded } = await manager.status();
  const installed = await manager.read();
  const again = context.command(`${kind} install --force`);
  if (installed && isLoaded && invocation.options["force"] !== true) {
    const differences = listDifferences(installed, definition, manager.render(definition));
    return {
      result: "already-installed",
      message: `${manager.name} is installed already (${manager.path})`,
      warnings: differences,
      hints: differences.length > 0 ? [`${again} writes it anew`] : [],
    };
  }
  const told = await manager.install(definition);
  const warnings = [...wanted.warnings, ...told, ...(await stay(services))];
  return {
    result: "installed",
    message: `${manager.name} is installed and started (${manager.path})`,
    warnings,
    hints: [
      kind === "gateway" ? context.command("gateway status") : context.command("node status"),
      ...(told.length > 0 ? [`its output: ${manager.logsCommand}`] : []),
    ],
  };
}

async function stay(services: OpenedServices): Promise<readonly string[]> {
  try {
    const left = await services.stayAfterLogout();
    return left === undefined ? [] : [left];
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return [`whether the service outlives the session is not known: ${error.message}`];
  }
}

async function decideGateway(context: Context, { options }: Invocation): Promise<Wanted> {
  const { config, fault } = await readConfig(context);
  const { env, paths, command } = context;
  if (config.gateway.mode === "remote")
    throw new Fault("config_invalid", "gateway.mode is remote: this machine is a client only", {
      field: "gateway.mode",
      next: "set gateway.mode to local to run a Gateway here",
    });
  const { port } = decidePort({
    flag: options["port"] as string | undefined,
    env,
    configured: config.gateway.port,
    profile: paths.profile,
  });
  if (port === 0) throw new Fault("usage", "a service needs a port of its own", { field: "--port" });
  const isOpen = options["allowUnconfigured"] === true;
  const warnings = [
    ...(fault ? [`${fault.message.split("\n")[0] ?? ""}; ${command("config validate")} tells more`] : []),
    ...(config.gateway.mode === "local" || isOpen
      ? []
      : [`it cannot start while gateway.mode is not set: ${command("config set gateway.mode local")}`]),
    ...(await findPortWarnings(context, port)),
    ...(await keepToken(context, config.gateway.auth.token !== undefined)),
    ...describeKeys(context),
  ];
  const args = ["gateway", "--port", String(port), ...(isOpen ? ["--allow-unconfigured"] : [])];
  return { args, port, warnings };
}

/** A token that is given goes where the Gateway looks for it, and not into the unit (R13). */
async function keepToken({ flags, env, paths }: Context, isConfigured: boolean): Promise<readonly string[]> {
  const token = flags.token ?? env.get("GATEWAY_TOKEN");
  if (token === undefined || token.trim() === "") return [];
  const source = flags.token === undefined ? (env.source("GATEWAY_TOKEN") ?? "the environment") : "--token";
  if (isConfigured) return [`the service takes its token from the config, not from ${source}`];
  const kept = (await readTextIfExists(paths.gatewayToken))?.trim();
  if (kept === token.trim()) return [];
  if (kept !== undefined && flags.token === undefined)
    return [`the service takes its token from ${paths.gatewayToken}, and ${source} has another: unset it`];
  await ensureFolder(dirname(paths.gatewayToken));
  await writeFileAtomic(paths.gatewayToken, `${token.trim()}\n`);
  return [];
}

/** What works in this terminal and will not in the service. */
function describeKeys({ env }: Context): readonly string[] {
  const keys = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "TELEGRAM_BOT_TOKEN"];
  const set = keys.filter((name) => env.raw(name) !== undefined);
  if (set.length === 0) return [];
  return [`the service does not get ${set.join(", ")}: secrets stay out of units, put them into the config`];
}

function decideNode({ flags }: Context, { options }: Invocation): Wanted {
  const text = (flag: string, name: string) => {
    const value = options[name];
    return typeof value === "string" ? [flag, value] : [];
  };
  const args = [
    "node",
    "run",
    ...text("--host", "host"),
    ...text("--port", "port"),
    ...(options["tls"] === true ? ["--tls"] : []),
    ...text("--tls-fingerprint", "tlsFingerprint"),
    ...text("--node-id", "nodeId"),
    ...text("--display-name", "displayName"),
  ];
  const warnings =
    flags.token === undefined && flags.password === undefined
      ? []
      : ["secrets stay out of units: pair this machine once with node run, then its own token is enough"];
  return { args, warnings };
}
