// What `status` knows: the Gateway's own words where it answers, and what can be seen from here where it does not.

import { arch, platform, release, type } from "node:os";

import { Fault } from "../../base/fault.ts";
import type { GatewayClient } from "../../client/connect.ts";
import type { HealthSnapshot, MethodResult } from "../../protocol/contract.ts";
import { withClient, type GatewayTarget } from "../connection.ts";
import type { Context } from "../context.ts";
import type { Config } from "../../settings/config.ts";

export interface Asking {
  /** The platforms are asked too. */
  readonly isDeep: boolean;
  readonly isUsage: boolean;
  /** Nothing is written for it: a device key is used where there is one. Absent: one is made. */
  readonly isLooking?: boolean;
  readonly timeoutMs: number;
}

type Status = MethodResult<"status">;

export interface GatewayView {
  readonly mode: "local" | "remote";
  readonly url: string;
  readonly urlSource: string;
  /** A client of a remote Gateway that is not named. */
  readonly misconfigured: boolean;
  readonly reachable: boolean;
  readonly connectLatencyMs: number | null;
  readonly version?: string;
  /** The Gateway as it presents itself. */
  readonly self: {
    readonly host?: string;
    readonly ip?: string;
    readonly version?: string;
    readonly platform?: string;
  } | null;
  readonly error: string | null;
  readonly next?: string;
}

export interface AgentsView {
  readonly defaultId: string;
  readonly agents: readonly {
    readonly id: string;
    readonly sessionsPath: string | null;
    readonly sessionsCount: number;
    readonly lastUpdatedAt: number | null;
    readonly lastActiveAgeMs: number | null;
  }[];
  readonly totalSessions: number;
}

export interface StatusReport extends Partial<Status> {
  readonly os: { readonly platform: string; readonly arch: string; readonly release: string; readonly label: string };
  readonly gateway: GatewayView;
  readonly agents?: AgentsView;
  readonly health?: HealthSnapshot;
  readonly usage?: MethodResult<"usage.cost">;
}

/** Never throws for a Gateway that cannot be reached: that is a finding. @throws Fault `usage`. */
export async function gatherStatus(
  context: Context,
  { config, target }: { config: Config; target: GatewayTarget },
  asking: Asking,
): Promise<StatusReport> {
  const { clock } = context;
  const { gateway } = config;
  const os = { platform: platform(), arch: arch(), release: release(), label: `${type()} ${release()} (${arch()})` };
  const view = {
    mode: gateway.mode === "remote" ? ("remote" as const) : ("local" as const),
    url: target.url,
    urlSource: target.source,
    misconfigured: gateway.mode === "remote" && !gateway.remote?.url,
  };
  const startedAt = clock.monotonic();
  try {
    const { timeoutMs, isLooking = false } = asking;
    const options = { scopes: ["operator.read"], timeoutMs, target, isLooking };
    return await withClient(context, options, async (client) => {
      const connectLatencyMs = Math.round(clock.monotonic() - startedAt);
      const { status, ...more } = await ask(client, asking);
      const { version } = client.hello.server;
      const self = findSelf(client);
      const reached = { reachable: true, connectLatencyMs, version, self, error: null };
      return { ...status, os, gateway: { ...view, ...reached }, agents: toAgents(status), ...more };
    });
  } catch (error) {
    if (!(error instanceof Fault) || error.code === "usage") throw error;
    const next = error.next ?? `start it with ${context.command("gateway")}`;
    const failed = { reachable: false, connectLatencyMs: null, self: null, error: error.message, next };
    return { os, gateway: { ...view, ...failed } };
  }
}

async function ask(client: GatewayClient, { isDeep, isUsage, timeoutMs }: Asking) {
  const within = { timeoutMs };
  const [status, health, usage] = await Promise.all([
    client.call("status", {}, within),
    // asking platforms takes what they take
    isDeep ? client.call("health", { probe: true }, { timeoutMs: timeoutMs + 2_000 }) : undefined,
    isUsage ? client.call("usage.cost", { days: 30 }, within) : undefined,
  ]);
  return { status, ...(health ? { health } : {}), ...(usage ? { usage } : {}) };
}

function findSelf({ hello }: GatewayClient): GatewayView["self"] {
  const entry = hello.snapshot.presence.find(({ mode, reason }) => mode === "gateway" || reason === "self");
  if (!entry) return null;
  const { host, ip, version, platform: system } = entry;
  return {
    ...(host ? { host } : {}),
    ...(ip ? { ip } : {}),
    ...(version ? { version } : {}),
    ...(system ? { platform: system } : {}),
  };
}

function toAgents({ sessions, heartbeat }: Status): AgentsView {
  // the contract leaves these open for what other Gateways add
  const known = sessions.byAgent as readonly {
    readonly agentId: string;
    readonly path?: string;
    readonly count?: number;
    readonly recent?: readonly { readonly updatedAt?: number | null; readonly age?: number | null }[];
  }[];
  const agents = known.map(({ agentId, path, count, recent }) => ({
    id: agentId,
    sessionsPath: path ?? null,
    sessionsCount: count ?? 0,
    lastUpdatedAt: recent?.[0]?.updatedAt ?? null,
    lastActiveAgeMs: recent?.[0]?.age ?? null,
  }));
  return { defaultId: heartbeat.defaultAgentId, agents, totalSessions: sessions.count };
}
