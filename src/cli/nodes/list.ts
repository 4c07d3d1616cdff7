// `nodes status|list|pending|describe`: looking, without changing anything.

import type { GatewayClient } from "../../client/connect.ts";
import { Fault } from "../../base/fault.ts";
import type { Invocation, Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import type { Context } from "../context.ts";
import { renderAge, renderTable } from "../render/output.ts";
import { findNode, type NodeEntry } from "./find.ts";

const timeoutOf = ({ options }: Invocation) => parseTimeout(options["timeout"] as string | undefined, 10_000);

export const status: Run = async (context, invocation) => {
  const timeoutMs = timeoutOf(invocation);
  const withinMs = parseDuration(invocation.options["lastConnected"]);
  const answer = await withClient(context, { scopes: ["operator.read"], timeoutMs }, (client) =>
    client.call("node.list", {}, { timeoutMs }),
  );
  const nodes = answer.nodes.filter(
    (node) =>
      (invocation.options["connected"] !== true || node.connected) &&
      (withinMs === undefined || node.connected || answer.ts - (node.lastSeenAtMs ?? 0) <= withinMs),
  );
  if (context.flags.json) context.out.json({ ...answer, nodes });
  else showNodes(context, nodes);
  return 0;
};

export const list: Run = async (context, invocation) => {
  const timeoutMs = timeoutOf(invocation);
  const scopes = ["operator.read", "operator.pairing"];
  const answer = await withClient(context, { scopes, timeoutMs }, async (client) => {
    const [waiting, { paired }, { nodes }] = await Promise.all([
      readWaiting(client, timeoutMs),
      client.call("node.pair.list", {}, { timeoutMs }),
      client.call("node.list", {}, { timeoutMs }),
    ]);
    return { pending: waiting, paired, nodes };
  });
  if (context.flags.json) {
    context.out.json(answer);
    return 0;
  }
  if (answer.pending.length > 0) showWaiting(context, answer.pending);
  showNodes(context, answer.nodes);
  return 0;
};

export const pending: Run = async (context, invocation) => {
  const timeoutMs = timeoutOf(invocation);
  const waiting = await withClient(context, { scopes: ["operator.pairing"], timeoutMs }, (client) =>
    readWaiting(client, timeoutMs),
  );
  if (context.flags.json) context.out.json(waiting);
  else if (waiting.length === 0) context.out.line("No node waits for approval.");
  else showWaiting(context, waiting);
  return 0;
};

export const describe: Run = async (context, invocation) => {
  const timeoutMs = timeoutOf(invocation);
  const { out } = context;
  const node = await withClient(context, { scopes: ["operator.read"], timeoutMs }, async (client) => {
    const { nodeId } = await findNode(context, client, { given: invocation.options["node"], timeoutMs });
    return client.call("node.describe", { nodeId }, { timeoutMs });
  });
  if (context.flags.json) {
    out.json(node);
    return 0;
  }
  const rows = [
    ["Node", node.displayName ?? "?"],
    ["Id", node.nodeId],
    ["State", stateOf(node)],
    ["Platform", [node.platform, node.deviceFamily, node.modelIdentifier, node.version].filter(Boolean).join(" · ")],
    ["Capabilities", node.caps.join(", ")],
    ["Commands", node.commands.join(", ")],
    ["Skills", (node.skills ?? []).map(({ name }) => name).join(", ")],
  ];
  out.line(renderTable(rows.filter(([, value]) => value !== "")));
  return 0;
};

export interface Waiting {
  readonly requestId: string;
  readonly nodeId: string;
  readonly displayName?: string | undefined;
  readonly platform?: string | undefined;
  readonly ts: number;
  /** Nodes on a socket pair as devices; others ask on their own. */
  readonly kind: "device" | "node";
}

/** Both kinds of requests: who approves a node need not know how it asked. */
export async function readWaiting(client: GatewayClient, timeoutMs: number): Promise<readonly Waiting[]> {
  const [nodes, devices] = await Promise.all([
    client.call("node.pair.list", {}, { timeoutMs }),
    client.call("device.pair.list", {}, { timeoutMs }),
  ]);
  const fromDevices = devices.pending
    .filter(({ role }) => role === "node")
    .map(({ requestId, deviceId, displayName, platform, ts }) => ({
      requestId,
      nodeId: deviceId,
      displayName,
      platform,
      ts,
      kind: "device" as const,
    }));
  const fromNodes = nodes.pending.map(({ requestId, nodeId, displayName, platform, ts }) => ({
    requestId,
    nodeId,
    displayName,
    platform,
    ts,
    kind: "node" as const,
  }));
  return [...fromDevices, ...fromNodes];
}

function showWaiting({ out, clock, command }: Context, waiting: readonly Waiting[]): void {
  const rows = waiting.map(({ requestId, displayName, platform, nodeId, ts }) => [
    requestId,
    `${displayName ?? "?"}${platform ? ` (${platform})` : ""}`,
    nodeId.slice(0, 16),
    renderAge(clock.now() - ts),
  ]);
  out.line("Waiting for approval:");
  out.line(renderTable([["REQUEST", "NODE", "ID", "ASKED"], ...rows]));
  out.line(`next: ${command("nodes approve <request>")}`);
  out.line();
}

function showNodes({ out, clock, command }: Context, nodes: readonly NodeEntry[]): void {
  if (nodes.length === 0) {
    out.line(`No node is paired. On another machine: ${command("node run --host <this host>")}`);
    return;
  }
  const rows = nodes.map((node) => [
    node.displayName ?? "?",
    node.nodeId.slice(0, 16),
    stateOf(node),
    node.platform ?? "",
    node.commands.join(" "),
    node.connected ? "now" : renderAge(node.lastSeenAtMs === undefined ? null : clock.now() - node.lastSeenAtMs),
  ]);
  out.line(renderTable([["NODE", "ID", "STATE", "PLATFORM", "COMMANDS", "SEEN"], ...rows]));
}

const stateOf = ({ paired, connected }: NodeEntry) =>
  `${paired ? "paired" : "not paired"}, ${connected ? "connected" : "away"}`;

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `10m`, `24h`, `7d`. */
export function parseDuration(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const [, count, unit = ""] = /^(\d{1,9})([smhd])$/u.exec(String(value).trim()) ?? [];
  if (count !== undefined) return Number(count) * (unitMs[unit] ?? 0);
  throw new Fault("usage", `not a duration: ${String(value)}`, {
    field: "--last-connected",
    next: "such as 24h or 7d",
  });
}
