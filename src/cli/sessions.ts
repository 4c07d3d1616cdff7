// `sessions`: the conversations, the one used last first.

import { Fault } from "../base/fault.ts";
import type { Run } from "./commands.ts";
import { parseTimeout, withClient } from "./connection.ts";
import { renderAge, renderTable } from "./render/output.ts";

export const run: Run = async (context, { options }) => {
  const { out, flags, clock } = context;
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const activeMinutes = parseMinutes(options["active"] as string | undefined);
  const isVerbose = options["verbose"] === true;
  const agentId = options["agent"] as string | undefined;
  const list = await withClient(context, { scopes: ["operator.read"], timeoutMs }, (client) =>
    client.call(
      "sessions.list",
      {
        limit: 1_000,
        includeGlobal: true,
        ...(activeMinutes === undefined ? {} : { activeMinutes }),
        ...(agentId === undefined ? {} : { agentId }),
        ...(isVerbose ? { includeLastMessage: true } : {}),
      },
      { timeoutMs },
    ),
  );
  if (flags.json) {
    const { path, count, totalCount, hasMore, sessions } = list;
    out.json({ path, count, totalCount, hasMore, activeMinutes: activeMinutes ?? null, sessions });
    return 0;
  }
  const now = clock.now();
  const rows = list.sessions.map((session) => [
    session.kind,
    session.key,
    renderAge(session.updatedAt === null ? null : now - session.updatedAt),
    session.model ?? "",
    renderTokens(session.totalTokens, session.contextTokens),
    ...(isVerbose ? [session.lastMessagePreview ?? ""] : []),
  ]);
  out.line(`Sessions: ${list.count}${list.hasMore ? ` of ${list.totalCount}` : ""} in ${list.path}`);
  const heads = ["KIND", "KEY", "ACTIVE", "MODEL", "TOKENS", ...(isVerbose ? ["LAST"] : [])];
  if (rows.length > 0) out.line(renderTable([heads, ...rows]));
  return 0;
};

/** How full the window is, where its size is known. */
function renderTokens(total: number, window: number | undefined): string {
  if (!window) return String(total);
  return `${total} of ${window} (${Math.round((100 * total) / window)}%)`;
}

function parseMinutes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const minutes = Number(text);
  if (Number.isInteger(minutes) && minutes > 0) return minutes;
  throw new Fault("usage", `not a number of minutes: ${text}`, { field: "--active" });
}
