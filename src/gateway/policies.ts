// Config -> the policies that the conversation's pure deciders take.

import { readMaintenance, type Maintenance } from "../config/maintenance.ts";
import { settingsOf } from "../config/accounts.ts";
import type { GatePolicy } from "../conversation/gate.ts";
import type { RoutePolicy } from "../conversation/route.ts";
import type { RetentionPolicy } from "../conversation/retention/retention.ts";
import type { CommandPolicy } from "../nodes/policy.ts";
import { expandHome, type Paths } from "../platform/paths.ts";
import type { Config } from "../settings/config.ts";

/** Of an account; what it does not say is the channel's. Channels without a section let nobody in but by pairing. */
export function toGatePolicy(config: Config, channel: string, account: string): GatePolicy {
  const section = sectionOf(config, channel);
  const { dmPolicy, allowFrom, groupPolicy, groupAllowFrom, groups } = section ? settingsOf(section, account) : {};
  return {
    dmPolicy: dmPolicy ?? "pairing",
    allowFrom: allowFrom ?? [],
    groupPolicy: groupPolicy ?? config.channels.defaults?.groupPolicy ?? "allowlist",
    ...(groupAllowFrom ? { groupAllowFrom } : {}),
    ...(groups ? { groups } : {}),
  };
}

function sectionOf({ channels }: Config, channel: string) {
  if (channel === "telegram") return channels.telegram;
  return channel === "whatsapp" ? channels.whatsapp : undefined;
}

export function toRoutePolicy(config: Config): RoutePolicy {
  const agents = toAgents(config);
  return {
    dmScope: config.session.dmScope ?? "per-channel-peer",
    scope: config.session.scope ?? "per-sender",
    agentIds: agents.map((agent) => agent.id),
    defaultAgentId: agents.find((agent) => agent.isDefault)?.id ?? "main",
    bindings: config.bindings,
  };
}

/** The configured agents; one called main when there are none. The first that says so is the default, else the first. */
export function toAgents(config: Config): { id: string; name?: string; isDefault: boolean }[] {
  const { list } = config.agents;
  if (list.length === 0) return [{ id: "main", isDefault: true }];
  const chosen = Math.max(
    0,
    list.findIndex((agent) => agent.default === true),
  );
  return list.map((agent, index) => ({
    id: agent.id.toLowerCase(),
    ...(agent.name ? { name: agent.name } : {}),
    isDefault: index === chosen,
  }));
}

/** Commands of nodes beside their platforms' defaults. */
export function toCommandPolicy({ gateway }: Config): CommandPolicy {
  return { allow: gateway.nodes?.allowCommands ?? [], deny: gateway.nodes?.denyCommands ?? [] };
}

/** How an agent is shown. */
export function toIdentity(config: Config, agentId: string): { name?: string; emoji?: string; avatar?: string } {
  const agent = config.agents.list.find((candidate) => candidate.id.toLowerCase() === agentId);
  const { name, emoji, avatar } = agent?.identity ?? {};
  return { name: name ?? agent?.name, emoji, avatar };
}

/** The folder that an agent works in: its own, that of all, or one beside it where it is not the default one. */
export function toWorkspace(
  config: Config,
  { workspace, home }: Pick<Paths, "workspace" | "home">,
  id: string,
): string {
  const { list, defaults } = config.agents;
  const own = list.find((agent) => agent.id.toLowerCase() === id)?.workspace;
  const shared = expandHome(defaults.workspace ?? workspace, home);
  if (own !== undefined) return expandHome(own, home);
  return id === toRoutePolicy(config).defaultAgentId ? shared : `${workspace}-${id}`;
}

/** Unless the config says, only where Serve is how clients come, and no password was asked for. */
export function isTailscaleAccepted({ auth, tailscale }: Config["gateway"], mode: "token" | "password"): boolean {
  return auth.allowTailscale ?? (tailscale?.mode === "serve" && mode !== "password");
}

/** What holds for all agents, with the model of this one; its fallbacks are those of all unless it has its own. */
export function toAgentDefaults({ agents }: Config, agentId: string | undefined): Config["agents"]["defaults"] {
  const own = agents.list.find(({ id }) => id.toLowerCase() === agentId)?.model;
  if (own === undefined) return agents.defaults;
  const { model } = agents.defaults;
  const fallbacks = typeof model === "object" ? model.fallbacks : undefined;
  const chosen = typeof own === "string" ? { primary: own } : own;
  return { ...agents.defaults, model: { ...(fallbacks ? { fallbacks } : {}), ...chosen } };
}

/** How long the conversation keeps what. */
export function toRetention(config: Config): RetentionPolicy & Maintenance {
  return readMaintenance(config);
}

/** Folders of all agents: what is in them is theirs. */
export function toWorkspaces(config: Config, paths: Pick<Paths, "workspace" | "home">): readonly string[] {
  const ids = [toRoutePolicy(config).defaultAgentId, ...toAgents(config).map(({ id }) => id)];
  return [...new Set([paths.workspace, ...ids.map((id) => toWorkspace(config, paths, id))])];
}
