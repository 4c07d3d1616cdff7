// `nodes approve|reject|rename|remove`: one request each.

import type { GatewayClient } from "../../client/connect.ts";
import { Fault } from "../../base/fault.ts";
import type { Invocation, Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import type { Context } from "../context.ts";
import { findNode } from "./find.ts";
import { readWaiting, type Waiting } from "./list.ts";

const timeoutOf = ({ options }: Invocation) => parseTimeout(options["timeout"] as string | undefined, 10_000);
/** Who approves must hold what is asked for: the owner holds all. */
const pairing = ["operator.admin", "operator.pairing"];

export const approve: Run = async (context, invocation) => {
  const timeoutMs = timeoutOf(invocation);
  const { result, request } = await withClient(context, { scopes: pairing, timeoutMs }, async (client) => {
    const found = await findWaiting(context, client, { given: invocation.args[0] ?? "", timeoutMs });
    const method = found.kind === "device" ? "device.pair.approve" : "node.pair.approve";
    return { request: found, result: await client.callAny(method, { requestId: found.requestId }, { timeoutMs }) };
  });
  if (context.flags.json) context.out.json(result);
  else context.out.line(`Approved ${request.displayName ?? request.nodeId}.`);
  return 0;
};

export const reject: Run = async (context, invocation) => {
  const timeoutMs = timeoutOf(invocation);
  const { result, request } = await withClient(context, { scopes: pairing, timeoutMs }, async (client) => {
    const found = await findWaiting(context, client, { given: invocation.args[0] ?? "", timeoutMs });
    const method = found.kind === "device" ? "device.pair.reject" : "node.pair.reject";
    return { request: found, result: await client.callAny(method, { requestId: found.requestId }, { timeoutMs }) };
  });
  if (context.flags.json) context.out.json(result);
  else context.out.line(`Rejected ${request.displayName ?? request.nodeId}.`);
  return 0;
};

export const rename: Run = async (context, invocation) => {
  const timeoutMs = timeoutOf(invocation);
  const name = invocation.options["name"];
  if (typeof name !== "string" || name.trim() === "") throw new Fault("usage", "which name?", { field: "--name" });
  const scopes = ["operator.read", "operator.pairing"];
  const result = await withClient(context, { scopes, timeoutMs }, async (client) => {
    const { nodeId } = await findNode(context, client, { given: invocation.options["node"], timeoutMs });
    return client.call("node.rename", { nodeId, displayName: name.trim() }, { timeoutMs });
  });
  if (context.flags.json) context.out.json(result);
  else context.out.line(`${result.nodeId} is now called ${result.displayName}.`);
  return 0;
};

export const remove: Run = async (context, invocation) => {
  const timeoutMs = timeoutOf(invocation);
  const scopes = ["operator.read", ...pairing];
  const { result, name } = await withClient(context, { scopes, timeoutMs }, async (client) => {
    const { nodeId, displayName } = await findNode(context, client, { given: invocation.options["node"], timeoutMs });
    return { name: displayName, result: await client.call("node.pair.remove", { nodeId }, { timeoutMs }) };
  });
  if (context.flags.json) context.out.json(result);
  else context.out.line(`Removed ${name ?? result.nodeId}; it has to pair anew to come back.`);
  return 0;
};

/** The request that begins with what was given. */
async function findWaiting(
  context: Context,
  client: GatewayClient,
  { given, timeoutMs }: { given: string; timeoutMs: number },
): Promise<Waiting> {
  const found = (await readWaiting(client, timeoutMs)).filter(({ requestId }) => requestId.startsWith(given));
  const [only] = found;
  if (only && found.length === 1) return only;
  throw new Fault(
    found.length === 0 ? "not_found" : "usage",
    `${found.length === 0 ? "no" : "more than one"} request begins with ${given}`,
    {
      next: `see ${context.command("nodes pending")}; requests live for five minutes`,
    },
  );
}
