// `health`, `gateway health`: the full snapshot, or its lines for people.

import type { HealthSnapshot } from "../protocol/contract.ts";
import type { Run } from "./commands.ts";
import { parseTimeout, withClient } from "./connection.ts";
import type { Context } from "./context.ts";
import { renderAge } from "./render/output.ts";

export const run: Run = async (context, { options }) => {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const health = await withClient(context, { scopes: ["operator.read"], timeoutMs }, (client) =>
    client.call("health", options["probe"] === true ? { probe: true } : {}, { timeoutMs }),
  );
  if (context.flags.json) context.out.json(health);
  else renderHealth(context, health);
  return health.ok ? 0 : 1;
};

function renderHealth(context: Context, health: HealthSnapshot): void {
  const { out, command } = context;
  out.line(`Gateway: ${health.ok ? out.style("green", "ok") : out.style("red", "not ok")}`);
  for (const id of health.channelOrder) renderChannel(context, health, id);
  if (health.channelOrder.length === 0)
    out.line(`Channels: none yet; chat with: ${command('agent --message "hello"')}`);
  const { agents, sessions } = health;
  if (agents) out.line(`Agents: ${agents.map((agent) => agent.agentId).join(", ")}`);
  if (sessions) out.line(`Sessions: ${sessions.count}`);
  for (const session of sessions?.recent ?? []) out.line(`  ${session.key} (${renderAge(session.age)})`);
  for (const problem of health.problems ?? []) {
    out.line(`${out.style("yellow", "problem:")} ${problem.message}`);
    if (problem.next) out.line(`  next: ${problem.next}`);
  }
}

function renderChannel({ out }: Context, health: HealthSnapshot, id: string): void {
  const { configured, connected, reason, next } = health.channels[id] ?? {};
  const state = connected ? out.style("green", "connected") : "connecting";
  const shown = reason ? out.style("yellow", reason) : state;
  out.line(`${health.channelLabels[id] ?? id}: ${configured === false ? "not configured" : shown}`);
  if (next) out.line(`  next: ${next}`);
}
