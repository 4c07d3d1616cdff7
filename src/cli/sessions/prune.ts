// `sessions prune`: shows what goes, asks, and removes it: by the Gateway while it runs, in its file while it does not.

import { Fault } from "../../base/fault.ts";
import type { MethodParams, MethodResult } from "../../protocol/contract.ts";
import type { Invocation, Run } from "../commands.ts";
import { confirm } from "../confirm.ts";
import { parseTimeout, readConfig, withClient } from "../connection.ts";
import type { Context } from "../context.ts";
import { renderAge, renderTable } from "../render/output.ts";
import { renderSize } from "../render/size.ts";
import { cleanText } from "../render/text.ts";
import { pruneOffline, takeLock } from "./offline.ts";

type Params = MethodParams<"sessions.prune">;
type Result = MethodResult<"sessions.prune">;

const shownRows = 20;

export const run: Run = async (context, { options }) => {
  const { out, flags } = context;
  const asked = parseAsked(options);
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 600_000);
  const ask = (params: Params) => prune(context, params, timeoutMs);
  const isSure = options["yes"] === true || options["enforce"] === true;
  const found = await ask({ ...asked, dryRun: true });
  const isNothing = found.sessionCount === 0 && found.archives === 0;
  if (options["dryRun"] === true || isNothing) {
    if (flags.json === true) out.json(options["dryRun"] === true ? found : { ...found, dryRun: false });
    else show(context, found);
    return 0;
  }
  if (!isSure) {
    if (flags.json !== true) show(context, found);
    if (!(await confirm(context, "Remove them for good?", "--yes"))) return 1;
  }
  // what was shown is what goes
  const done = await ask({ ...asked, ...(isSure ? {} : { plan: found.plan }) });
  if (flags.json === true) out.json(done);
  else tell(context, done);
  return 0;
};

async function prune(context: Context, params: Params, timeoutMs: number): Promise<Result> {
  const lock = (await isElsewhere(context)) ? undefined : await takeLock(context);
  if (!lock)
    return withClient(context, { scopes: ["operator.admin"], timeoutMs, needsValidConfig: true }, (client) =>
      client.call("sessions.prune", params, { timeoutMs }),
    );
  try {
    return await pruneOffline(context, params);
  } finally {
    lock.release();
  }
}

/** Sessions of a Gateway that has another state folder. */
async function isElsewhere(context: Context): Promise<boolean> {
  const { url } = context.flags;
  if (url !== undefined) return true;
  const { gateway } = (await readConfig(context)).config;
  return gateway.mode === "remote" && gateway.remote?.url !== undefined;
}

function parseAsked(options: Invocation["options"]): Params {
  const { olderThan, keep, agent, allAgents } = options;
  if (agent !== undefined && allAgents === true)
    throw new Fault("usage", "--agent and --all-agents contradict each other", { field: "--agent" });
  return {
    ...(typeof olderThan === "string" ? { olderThanDays: parseDays(olderThan) } : {}),
    ...(typeof keep === "string" ? { keep: parseCount(keep) } : {}),
    ...(typeof agent === "string" ? { agentId: agent } : {}),
  };
}

function parseDays(text: string): number {
  const days = Number(text.replace(/d$/u, ""));
  if (days > 0 && days <= 36_500) return days;
  throw new Fault("usage", `not a number of days: ${text}`, { field: "--older-than" });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,9}$/u.test(text)) return count;
  throw new Fault("usage", `not a number of sessions: ${text}`, { field: "--keep" });
}

function show({ out, clock }: Context, found: Result): void {
  const { sessions, sessionCount, archives, messages, bytes, kept } = found;
  if (sessionCount === 0 && archives === 0) {
    out.line(`There is nothing to remove; ${numberOf(kept, "session")} kept.`);
    return;
  }
  const now = clock.now();
  const rows = sessions
    .slice(0, shownRows)
    .map((session) => [
      cleanText(session.key),
      renderAge(Math.max(0, now - session.updatedAt)),
      session.reason === "age" ? "not used for long" : "more than are kept",
      String(session.messages),
      renderSize(session.bytes),
    ]);
  if (rows.length > 0) out.line(renderTable([["KEY", "LAST USED", "WHY", "MESSAGES", "SIZE"], ...rows]));
  if (sessionCount > rows.length) out.line(`and ${sessionCount - rows.length} more: --json shows up to 1000`);
  out.line(
    `Would remove ${renderWhat({ sessionCount, archives, messages, bytes })}. ${numberOf(kept, "session")} kept.`,
  );
}

function tell({ out }: Context, done: Result): void {
  const { sessionCount, archives, messages, bytes, kept, skipped } = done;
  out.line(
    `Removed ${renderWhat({ sessionCount, archives, messages, bytes })}. ${numberOf(kept + skipped, "session")} kept.`,
  );
  if (skipped > 0) out.line(`${skipped} of them were used meanwhile.`);
}

type What = Pick<Result, "sessionCount" | "archives" | "messages" | "bytes">;

const renderWhat = ({ sessionCount, archives, messages, bytes }: What) =>
  `${numberOf(sessionCount, "session")} and ${numberOf(archives, "archived transcript")}: ${numberOf(messages, "message")}, ${renderSize(bytes)}`;

const numberOf = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
