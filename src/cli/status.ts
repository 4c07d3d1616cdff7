// `status`: the short summary. A Gateway that cannot be reached is a finding here, not a failure.

import { Fault } from "../base/fault.ts";
import type { MethodResult } from "../protocol/contract.ts";
import type { Run } from "./commands.ts";
import { findGateway, parseTimeout, readConfig, withClient } from "./connection.ts";
import type { Context } from "./context.ts";
import { renderAge } from "./render/output.ts";

export const run: Run = async (context, { options }) => {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const { config, fault } = await readConfig(context);
  const target = await findGateway(context, config);
  if (fault && !context.flags.json) context.out.fault(fault);
  try {
    const reading = { scopes: ["operator.read"], timeoutMs, target };
    const { status, version } = await withClient(context, reading, async (client) => ({
      status: await client.call("status", {}, { timeoutMs }),
      version: client.hello.server.version,
    }));
    const gateway = { url: target.url, urlSource: target.source, reachable: true, version };
    if (context.flags.json) context.out.json({ ...status, gateway });
    else render(context, target.url, status);
  } catch (error) {
    if (!(error instanceof Fault) || error.code === "usage") throw error;
    const gateway = { url: target.url, urlSource: target.source, reachable: false, error: error.message };
    if (context.flags.json) context.out.json({ gateway });
    else {
      context.out.line(`Gateway: ${context.out.style("red", "not reachable")} at ${target.url} (${error.message})`);
      context.out.line(`next: ${error.next ?? `start it with ${context.command("gateway")}`}`);
    }
  }
  return 0;
};

function render({ out }: Context, url: string, status: MethodResult<"status">): void {
  const { queue, errors } = status;
  out.line(`Gateway: ${out.style("green", "reachable")} at ${url}`);
  for (const { message, next } of status.configProblems ?? [])
    out.line(out.style("yellow", `Config: ${message}; ${next}`));
  for (const line of status.channelSummary) out.line(line);
  out.line(`Model: ${status.sessions.defaults.model ?? "none"}`);
  out.line(`Queue: ${queue.running} running, ${queue.queued} waiting, ${queue.outboxPending} to send`);
  const dropped = Object.values(errors.dropped).reduce((sum, count) => sum + count, 0);
  out.line(
    `Last 24 h: ${errors.failedTurns} failed turns, ${errors.failedSends} refused sends, ${errors.unknownSends} unconfirmed sends, ${dropped} messages not let in`,
  );
  out.line(`Sessions: ${status.sessions.count}`);
  for (const session of status.sessions.recent)
    out.line(`  ${session.key} (${renderAge((session as { age?: number | null }).age)})`);
}
