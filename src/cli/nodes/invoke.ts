// `nodes invoke` and `nodes notify`: one command of a node.

import { Fault } from "../../base/fault.ts";
import type { MethodResult } from "../../protocol/contract.ts";
import type { Invocation, Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import type { Context } from "../context.ts";
import { parseParams } from "../params.ts";
import { findNode } from "./find.ts";

const invokeTimeoutMs = 15_000;
/** The answer of the Gateway itself comes a little later than that of the node. */
const marginMs = 5_000;

export const invoke: Run = async (context, invocation) => {
  const { command } = invocation.options;
  if (typeof command !== "string" || command.trim() === "")
    throw new Fault("usage", "which command?", { field: "--command", next: "such as system.which" });
  const params = parseParams((invocation.options["params"] as string | undefined) ?? "{}");
  const result = await perform(context, invocation, { command, params });
  if (context.flags.json) context.out.json(result);
  else context.out.json(result.payload);
  return 0;
};

export const notify: Run = async (context, invocation) => {
  const { title, body } = invocation.options;
  if (!title && !body)
    throw new Fault("usage", "what should it say?", { field: "--title", next: "pass --title, --body or both" });
  const params = { ...(title ? { title } : {}), ...(body ? { body } : {}) };
  const result = await perform(context, invocation, { command: "system.notify", params });
  if (context.flags.json) context.out.json(result);
  else context.out.line("Shown.");
  return 0;
};

function perform(
  context: Context,
  { options }: Invocation,
  { command, params }: { command: string; params: unknown },
): Promise<MethodResult<"node.invoke">> {
  const limitMs = parseTimeout(options["invokeTimeout"] as string | undefined, invokeTimeoutMs);
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, limitMs + marginMs);
  const scopes = ["operator.read", "operator.write"];
  return withClient(context, { scopes, timeoutMs }, async (client) => {
    const { nodeId } = await findNode(context, client, { given: options["node"], timeoutMs });
    const idempotencyKey = (options["idempotencyKey"] as string | undefined) ?? context.ids.uuid();
    return client.call("node.invoke", { nodeId, command, params, timeoutMs: limitMs, idempotencyKey }, { timeoutMs });
  });
}
