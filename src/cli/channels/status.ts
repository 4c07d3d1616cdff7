// `channels status`: every account as the running Gateway sees it; from the config alone when it is down.

import { Fault } from "../../base/fault.ts";
import type { MethodResult } from "../../protocol/contract.ts";
import type { Run } from "../commands.ts";
import { findGateway, parseTimeout, readConfig, withClient } from "../connection.ts";
import type { Context } from "../context.ts";
import { renderAge } from "../render/output.ts";
import { cleanText } from "../render/text.ts";
import { listConfigured, renderConfigured, type ConfiguredAccount } from "./configured.ts";
import { chooseAccount, readAccount } from "./which.ts";

export const run: Run = async (context, invocation) => {
  const { options } = invocation;
  const account = readAccount(invocation);
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const { out, flags } = context;
  const { config, fault } = await readConfig(context);
  if (fault) out.error(`warning: ${fault.message}`);
  const target = await findGateway(context, config);
  const probe = options["probe"] === true;
  let status: Status;
  try {
    status = await withClient(context, { scopes: ["operator.read"], timeoutMs, target }, (client) =>
      // the platforms get the time that was asked for, the answer a little more
      client.call("channels.status", { probe, timeoutMs }, { timeoutMs: timeoutMs + 2_000 }),
    );
  } catch (error) {
    // only the Gateway of this machine has the config that can be read here
    if (!(error instanceof Fault) || target.port === undefined) throw error;
    const all = listConfigured(config, context);
    if (account !== undefined)
      chooseAccount(
        invocation,
        all.map((row) => row.account),
      );
    renderOffline(context, error, account === undefined ? all : all.filter((row) => row.account === account));
    return 1;
  }
  const shown = account === undefined ? status : ofAccount(status, account);
  if (flags.json) out.json(shown);
  else render(context, shown);
  return 0;
};

function renderOffline({ out, flags }: Context, error: Fault, channels: readonly ConfiguredAccount[]): void {
  if (flags.json) {
    out.json({ reachable: false, error: error.message, channels });
    return;
  }
  out.error(`the Gateway cannot be asked (${error.message}); this is what the config says`);
  for (const channel of channels) out.line(renderConfigured(channel));
  if (channels.length === 0) out.line("No channel is set up.");
}

/** @throws Fault `not_found` naming the accounts that are there. */
function ofAccount(status: Status, account: string): Status {
  const entries = Object.entries(status.channelAccounts);
  const channelAccounts = Object.fromEntries(
    entries.map(([id, rows]) => [id, rows.filter(({ accountId }) => accountId === account)]),
  );
  if (Object.values(channelAccounts).some((rows) => rows.length > 0)) return { ...status, channelAccounts };
  const known = entries.flatMap(([, rows]) => rows.map(({ accountId }) => accountId));
  throw new Fault("not_found", `no account ${account} is set up`, {
    field: "--account",
    next: known.length === 0 ? "channels add sets one up" : `use one of: ${known.join(", ")}`,
  });
}

type Status = MethodResult<"channels.status">;
type Account = NonNullable<Status["channelAccounts"][string]>[number];

function render({ out }: Context, status: Status): void {
  if (status.channelOrder.length === 0) out.line("No channel is set up.");
  for (const id of status.channelOrder) {
    for (const account of status.channelAccounts[id] ?? []) {
      const called = account.name === undefined ? "" : ` (${cleanText(account.name)})`;
      out.line(`${status.channelLabels[id] ?? id} ${account.accountId}${called}: ${describe(account, status.ts)}`);
      if (account.next) out.line(`  next: ${account.next}`);
    }
  }
}

function describe(account: Account, now: number): string {
  const { lastError, probe, username, tokenSource } = account;
  const age = (time: number | null | undefined) => renderAge(typeof time === "number" ? now - time : null);
  return [
    stateOf(account),
    ...(username ? [`@${username}`] : []),
    ...(tokenSource ? [`token from ${tokenSource}`] : []),
    ...(lastError ? [lastError] : []),
    `received ${age(account.lastInboundAt)}`,
    `sent ${age(account.lastOutboundAt)}`,
    ...(probe
      ? [probe.ok ? `probe ok (${probe.elapsedMs} ms)` : `probe failed: ${probe.error ?? "no reason given"}`]
      : []),
  ].join(", ");
}

function stateOf({ enabled, configured, running, connected }: Account): string {
  if (enabled === false) return "switched off";
  if (configured === false) return "not configured";
  if (running === false) return "stopped";
  return connected ? "connected" : "connecting";
}
