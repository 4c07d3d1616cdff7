// What a service's port would meet on this machine: a profile does not move the port, and two services on one port never both run.

import { renderInstance } from "../../platform/instance-conflicts.ts";
import type { Context } from "../context.ts";
import { openMachine } from "../machine.ts";

/** One line each; empty when nothing runs there. */
export async function findPortWarnings(context: Context, port: number): Promise<string[]> {
  const { command, paths } = context;
  const running = await openMachine(context).instances.list();
  return running.flatMap((instance) => {
    const isOwn = instance.state === paths.state;
    const isSame = instance.ports.gateway === port;
    if (isOwn && !isSame)
      return [
        `the Gateway that runs here now listens on port ${instance.ports.gateway}, the service takes ${port}: ` +
          `${command(`gateway install --force --port ${instance.ports.gateway}`)} gives it the same`,
      ];
    if (!isOwn && isSame)
      return [
        `port ${port} is that of ${renderInstance(instance)}: give this service another, ` +
          `${command("gateway install --force --port <port>")}`,
      ];
    return [];
  });
}
