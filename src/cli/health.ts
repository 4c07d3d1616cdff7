// `health`, `gateway health`: the full snapshot, or its lines for people.

import type { HealthSnapshot } from "../protocol/contract.ts";
import type { Run } from "./commands.ts";
import { parseTimeout, withClient } from "./connection.ts";
import type { Context } from "./context.ts";
import { renderAge } from "./render/output.ts";
import { cleanText } from "./render/text.ts";
import { describeAccount, renderDisk } from "./status/text.ts";

export const run: Run = async (context, { options }) => {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const isVerbose = options["verbose"] === true || options["debug"] === true;
  const { health, version } = await withClient(context, { scopes: ["operator.read"], timeoutMs }, async (client) => ({
    health: await client.call("health", options["probe"] === true ? { probe: true } : {}, { timeoutMs }),
    version: client.hello.server.version,
  }));
  if (context.flags.json) context.out.json(health);
  else {
    renderHealth(context, health, isVerbose);
    if (isVerbose) context.out.line(`Answered by version ${version} in ${health.durationMs} ms`);
  }
  return health.ok ? 0 : 1;
};

function renderHealth(context: Context, health: HealthSnapshot, isVerbose: boolean): void {
  const { out, command } = context;
  out.line(`Gateway: ${health.ok ? out.style("green", "ok") : out.style("red", "not ok")}`);
  for (const id of health.channelOrder) renderChannel(context, { health, id, isVerbose });
  if (health.channelOrder.length === 0)
    out.line(`Channels: none yet; chat with: ${command('agent --message "hello"')}`);
  renderAgents(context, health, isVerbose);
  if (health.disk) out.line(`Disk: ${renderDisk(health.disk)}`);
  for (const problem of health.problems ?? []) {
    out.line(`${out.style("yellow", "problem:")} ${cleanText(problem.message)}`);
    if (problem.next) out.line(`  next: ${cleanText(problem.next)}`);
  }
}

function renderAgents({ out }: Context, health: HealthSnapshot, isVerbose: boolean): void {
  const { agents, sessions, linkChannel } = health;
  if (linkChannel && isVerbose)
    out.line(`Main channel: ${linkChannel.label}, ${linkChannel.linked ? "" : "not "}linked`);
  if (agents)
    out.line(
      `Agents: ${agents.map(({ agentId, isDefault }) => renderAgent(agentId, isDefault, agents.length)).join(", ")}`,
    );
  if (health.heartbeatSeconds > 0) out.line(`Heartbeat: every ${health.heartbeatSeconds} s`);
  if (sessions) out.line(`Sessions: ${sessions.count}${isVerbose ? ` in ${sessions.path}` : ""}`);
  for (const session of sessions?.recent ?? []) out.line(`  ${session.key} (${renderAge(session.age)})`);
}

const renderAgent = (id: string, isDefault: boolean, count: number) =>
  isDefault && count > 1 ? `${id} (default)` : id;

function renderChannel(
  { out }: Context,
  { health, id, isVerbose }: { readonly health: HealthSnapshot; readonly id: string; readonly isVerbose: boolean },
): void {
  const channel = health.channels[id] ?? {};
  const label = health.channelLabels[id] ?? id;
  const accounts = Object.entries(channel.accounts ?? {});
  // one account is the channel
  const shown: readonly (readonly [string, AccountState])[] =
    accounts.length > 1 ? accounts.map(([name, account]) => [`${label} ${name}`, account]) : [[label, channel]];
  for (const [name, account] of shown) {
    out.line(`${name}: ${renderState(out, account)}`);
    if (account.next) out.line(`  next: ${cleanText(account.next)}`);
  }
  if (!isVerbose) return;
  for (const [name, account] of accounts) out.line(cleanText(`  ${name}: ${describeAccount(account)}`));
}

interface AccountState {
  readonly configured?: boolean;
  readonly connected?: boolean;
  readonly reason?: string;
  readonly next?: string;
}

function renderState(out: Context["out"], account: AccountState): string {
  const { configured, connected, reason } = account;
  if (configured === false) return reason ? `not configured (${cleanText(reason)})` : "not configured";
  if (reason) return out.style("yellow", cleanText(reason));
  return `${connected ? out.style("green", "connected") : "connecting"}${renderProbe(account)}`;
}

/** The snapshot is open for what channels add. */
function renderProbe(channel: object): string {
  const { ok, elapsedMs } = (channel as { probe?: { ok?: boolean; elapsedMs?: number } }).probe ?? {};
  return ok === true && elapsedMs !== undefined ? `, ok (${elapsedMs} ms)` : "";
}
