// Which node is meant: by id, name, address, or the beginning of the id.

import type { GatewayClient } from "../../client/connect.ts";
import { Fault } from "../../base/fault.ts";
import type { MethodResult } from "../../protocol/contract.ts";
import type { Context } from "../context.ts";

export type NodeEntry = MethodResult<"node.list">["nodes"][number];

const minPrefix = 6;

/** @throws Fault `usage` unless exactly one is meant; one that is connected goes before one that is not. */
export async function findNode(
  context: Context,
  client: GatewayClient,
  { given, timeoutMs }: { given: unknown; timeoutMs: number },
): Promise<NodeEntry> {
  const next = `see ${context.command("nodes status")}`;
  if (typeof given !== "string" || given.trim() === "")
    throw new Fault("usage", "which node?", { field: "--node", next });
  const { nodes } = await client.call("node.list", {}, { timeoutMs });
  const found = matchNodes(nodes, given.trim());
  const [only] = found;
  if (only && found.length === 1) return only;
  if (found.length === 0) throw new Fault("not_found", `no such node: ${given}`, { field: "--node", next });
  const ids = found.map(({ nodeId, displayName }) => `${displayName ?? "?"} (${nodeId.slice(0, 12)})`);
  throw new Fault("usage", `several nodes are called ${given}: ${ids.join(", ")}`, {
    field: "--node",
    next: "use the id",
  });
}

export function matchNodes(nodes: readonly NodeEntry[], given: string): readonly NodeEntry[] {
  const word = given.toLowerCase();
  const rules: readonly ((node: NodeEntry) => boolean)[] = [
    ({ nodeId }) => nodeId === given,
    ({ displayName }) => displayName?.toLowerCase() === word,
    ({ remoteIp }) => remoteIp === given,
    ({ nodeId }) => word.length >= minPrefix && nodeId.toLowerCase().startsWith(word),
  ];
  for (const rule of rules) {
    const found = nodes.filter(rule);
    const connected = found.filter((node) => node.connected);
    if (connected.length === 1) return connected;
    if (found.length > 0) return found;
  }
  return [];
}
