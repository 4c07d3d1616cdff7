// `agents add`, `agents delete`: the running Gateway changes its config, so that all that is in it stays in order.

import { Fault } from "../../base/fault.ts";
import type { GatewayClient } from "../../client/connect.ts";
import type { Invocation, Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import type { Context } from "../context.ts";

export const add: Run = async (context, invocation) => {
  const text = (name: string) => invocation.options[name] as string | undefined;
  const name = invocation.args[0] ?? "";
  const [workspace, model, emoji] = [text("workspace"), text("model"), text("emoji")];
  const made = await change(context, invocation, (client, timeoutMs) =>
    client.call(
      "agents.create",
      { name, ...(workspace ? { workspace } : {}), ...(model ? { model } : {}), ...(emoji ? { emoji } : {}) },
      { timeoutMs },
    ),
  );
  if (context.flags.json) context.out.json(made);
  else {
    context.out.line(`Agent ${made.agentId} is there, with the workspace ${made.workspace}.`);
    context.out.line(`next: ${context.command(`agent --agent ${made.agentId} --message "hello"`)}`);
  }
  return 0;
};

export const remove: Run = async (context, invocation) => {
  const agentId = invocation.args[0] ?? "";
  if (!context.flags.json && context.out.isTerminal && invocation.options["yes"] !== true) {
    throw new Fault("usage", `agent ${agentId} and the bindings to it would be taken out of the config`, {
      next: `say so with ${context.command(`agents delete ${agentId} --yes`)}; its sessions and files stay`,
    });
  }
  const removed = await change(context, invocation, (client, timeoutMs) =>
    client.call("agents.delete", { agentId }, { timeoutMs }),
  );
  if (context.flags.json) context.out.json(removed);
  else
    context.out.line(
      `Agent ${removed.agentId} is out of the config, with ${removed.removedBindings} bindings; its sessions and files stay.`,
    );
  return 0;
};

function change<T>(
  context: Context,
  { options }: Invocation,
  task: (client: GatewayClient, timeoutMs: number) => Promise<T>,
): Promise<T> {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const needed = { scopes: ["operator.admin"], timeoutMs, needsValidConfig: true };
  return withClient(context, needed, (client) => task(client, timeoutMs));
}
