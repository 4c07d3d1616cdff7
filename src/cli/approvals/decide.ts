// `approvals pending|decide`: commands that wait for a person.

import { Fault } from "../../base/fault.ts";
import type { Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import { renderAge } from "../render/output.ts";
import { cleanText } from "../render/text.ts";

const scopes = ["operator.approvals"];

export const pending: Run = async (context, { options }) => {
  const { out, clock, command } = context;
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const open = await withClient(context, { scopes, timeoutMs }, (client) =>
    client.call("exec.approval.list", {}, { timeoutMs }),
  );
  if (context.flags.json) {
    out.json(open);
    return 0;
  }
  if (open.length === 0) out.line("Nothing waits for a decision.");
  for (const { id, request, createdAtMs } of open) {
    out.line(`${id}  ${renderAge(clock.now() - createdAtMs)}`);
    // whole: what is cut off could be what matters
    out.line(`  ${cleanText(request.command)}`);
    const where = [request.nodeId && `node ${request.nodeId}`, request.cwd && `in ${request.cwd}`];
    const variables = request.envKeys?.length ? `with ${request.envKeys.join(", ")}` : undefined;
    const details = [...where, variables].filter(Boolean).join(", ");
    if (details !== "") out.line(`  ${cleanText(details)}`);
  }
  if (open.length > 0) out.line(`next: ${command("approvals decide <id> allow-once")}`);
  return 0;
};

export const decide: Run = async (context, { options, args }) => {
  const [given = "", decision = ""] = args;
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const id = await withClient(context, { scopes, timeoutMs }, async (client) => {
    const open = await client.call("exec.approval.list", {}, { timeoutMs });
    const found = open.filter((approval) => approval.id.startsWith(given));
    const [only] = found;
    if (!only || found.length > 1)
      throw new Fault(
        "not_found",
        `${only ? "more than one open approval begins" : "no open approval begins"} with ${given}`,
        {
          next: `see ${context.command("approvals pending")}`,
        },
      );
    await client.call("exec.approval.resolve", { id: only.id, decision }, { timeoutMs });
    return only.id;
  });
  if (context.flags.json) context.out.json({ id, decision });
  else context.out.line(`${id}: ${decision}`);
  return 0;
};
