// `gateway uninstall|start|stop|restart`, and the same of `node`: what the system's own service manager does for us.

import type { ServiceKind } from "../../daemon/names.ts";
import type { Run } from "../commands.ts";
import { openCliServices, type OpenedServices } from "./open.ts";
import { notInstalled, report, type Action, type Done } from "./report.ts";

type Verb = Exclude<Action, "install">;

export const control =
  (kind: ServiceKind, action: Verb): Run =>
  async (context) => {
    const services = await openCliServices(context, kind);
    return report(context, { action, services }, async () => {
      if (await isThere(services)) return perform(services, action);
      return notInstalled(context, kind);
    });
  };

/** A file that is not loaded was stopped; a service whose file is gone still runs. */
async function isThere({ manager }: OpenedServices): Promise<boolean> {
  return (await manager.read()) !== undefined || (await manager.status()).isLoaded;
}

async function perform({ manager }: OpenedServices, action: Verb): Promise<Done> {
  const { name, logsCommand } = manager;
  await manager[action]();
  switch (action) {
    case "uninstall":
      return { result: "uninstalled", message: `${name} is stopped and taken away` };
    case "start":
      return { result: "started", message: `${name} is started`, hints: [`its output: ${logsCommand}`] };
    case "restart":
      return { result: "restarted", message: `${name} is restarted`, hints: [`its output: ${logsCommand}`] };
    default:
      return {
        result: "stopped",
        message: `${name} is stopped; it comes back with the next start of the machine or login`,
      };
  }
}
