// Nodes as `node.list` and `node.describe` show them: what is known of the paired ones, and the live ones' own words.

import type { NodeDeclaration } from "../ports/method.ts";
import type { MethodResult } from "../protocol/contract.ts";
import { usableCommands, type CommandPolicy } from "./policy.ts";
import type { ConnectedNode } from "./registry.ts";
import type { NodeProfile, NodeRow } from "./store/nodes.ts";

export type NodeView = MethodResult<"node.list">["nodes"][number];

export interface Known {
  readonly rows: readonly NodeRow[];
  readonly connected: readonly ConnectedNode[];
  /** Devices that are paired as nodes. */
  readonly pairedDevices: ReadonlySet<string>;
  readonly policy: CommandPolicy;
}

/** Paired and connected ones: connected first, then by name. Who is neither is not shown. */
export function listNodes(known: Known): readonly NodeView[] {
  const rows = new Map(known.rows.map((row) => [row.nodeId, row]));
  const live = new Map(known.connected.map((node) => [node.link.nodeId, node]));
  const ids = new Set([...rows.keys(), ...live.keys(), ...known.pairedDevices]);
  return [...ids]
    .map((nodeId) => describeNode(nodeId, { row: rows.get(nodeId), live: live.get(nodeId), known }))
    .filter((node) => node.connected || node.paired)
    .toSorted((a, b) => Number(b.connected) - Number(a.connected) || compareNames(a, b));
}

function compareNames(a: NodeView, b: NodeView): number {
  const nameOf = ({ displayName, nodeId }: NodeView) => (displayName ?? nodeId).toLowerCase();
  return nameOf(a).localeCompare(nameOf(b)) || (a.nodeId < b.nodeId ? -1 : 1);
}

interface Sources {
  readonly row: NodeRow | undefined;
  readonly live: ConnectedNode | undefined;
  readonly known: Pick<Known, "pairedDevices" | "policy">;
}

function describeNode(nodeId: string, { row, live, known }: Sources): NodeView {
  const {
    caps = [],
    commands = [],
    ...profile
  }: NodeProfile = {
    ...row?.profile,
    ...toProfile(live?.link.caller.node),
  };
  return {
    nodeId,
    ...profile,
    ...(row?.name === undefined ? {} : { displayName: row.name }),
    caps,
    commands: usableCommands({ ...profile, commands }, known.policy),
    ...(live ? describeConnection(live) : {}),
    ...(row?.lastConnectedAt === undefined ? {} : { lastSeenAtMs: row.lastConnectedAt }),
    paired: row?.approvedAt !== undefined || known.pairedDevices.has(nodeId),
    connected: live !== undefined,
  };
}

function describeConnection({ link, connectedAt }: ConnectedNode) {
  const { client, node } = link.caller;
  return {
    ...(node?.pathEnv === undefined ? {} : { pathEnv: node.pathEnv }),
    ...(node && Object.keys(node.permissions).length > 0 ? { permissions: node.permissions } : {}),
    connectedAtMs: connectedAt,
    clientId: client.id,
    clientMode: client.mode,
  };
}

/** What is kept of a declaration, for the time when the node is away. */
export function toProfile(node: NodeDeclaration | undefined): NodeProfile {
  if (!node) return {};
  const { caps, commands, platform, version, displayName, deviceFamily, modelIdentifier, remoteIp } = node;
  return {
    caps,
    commands,
    platform,
    version,
    ...(displayName === undefined ? {} : { displayName }),
    ...(deviceFamily === undefined ? {} : { deviceFamily }),
    ...(modelIdentifier === undefined ? {} : { modelIdentifier }),
    ...(remoteIp === undefined ? {} : { remoteIp }),
  };
}
