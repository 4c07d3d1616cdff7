// What commands ask the system of: its processes, its ports, the Gateways that run on it.

import { createInstances, type Instance, type Instances } from "../platform/instances.ts";
import { expandHome, profileFromEnv } from "../platform/paths.ts";
import { planPorts } from "../platform/port-plan.ts";
import type { PortUsage } from "../platform/port-listeners.ts";
import { createProcessTable, type ProcessTable } from "../platform/process-table.ts";
import type { RunProcess } from "../platform/process.ts";
import type { Config } from "../settings/config.ts";
import type { Context } from "./context.ts";

export interface Machine {
  readonly run: RunProcess;
  readonly processes: ProcessTable;
  readonly instances: Instances;
  usage(port: number): Promise<PortUsage>;
}

export function openMachine({ clock, env, ids, paths }: Context): Machine {
  // most commands start no program
  const run: RunProcess = async (request) => (await import("../platform/process.ts")).createRunProcess(clock)(request);
  const { platform } = process;
  const processes = createProcessTable({ run, platform });
  return {
    run,
    processes,
    instances: createInstances({ folder: paths.instances, processes, newId: () => ids.secret(4) }),
    usage: async (port) => {
      const { readPortUsage } = await import("../platform/port-listeners.ts");
      return readPortUsage(port, { env, run, platform });
    },
  };
}

/** The Gateway of these flags, environment and config, as others see it when it runs in this process at that port. */
export function describeInstance(context: Context, config: Config, base: number): Instance {
  const { brand, clock, env, paths, version } = context;
  const profile = paths.profile ?? profileFromEnv(env);
  const { file } = config.logging;
  const { workspace } = config.agents.defaults;
  return {
    pid: process.pid,
    brand: brand.name,
    version,
    ...(profile === undefined ? {} : { profile }),
    startedAt: clock.now(),
    ports: planPorts({ base, env, config }),
    state: paths.state,
    config: paths.config,
    workspace: workspace === undefined ? paths.workspace : expandHome(workspace, paths.home),
    log: file === undefined || file.trim() === "" ? `${paths.logs}/${paths.logPrefix}` : file,
    ...nameBrowsers(config),
    isService: env.get("SERVICE_KIND") === "gateway",
  };
}

function nameBrowsers({ browser }: Config): Pick<Instance, "browsers"> {
  const urls = [browser?.cdpUrl, ...Object.values(browser?.profiles ?? {}).map(({ cdpUrl }) => cdpUrl)];
  const named = urls.filter((url) => url !== undefined && url.trim() !== "");
  return named.length === 0 ? {} : { browsers: named.map((url) => digestOf(url ?? "")) };
}

/** Tells whether two are the same, and not what they are. */
const digestOf = (text: string) =>
  process.getBuiltinModule("node:crypto").createHash("sha256").update(text).digest("hex").slice(0, 12);
