// `system presence`: who is connected.

import type { Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import { renderAge, renderTable } from "../render/output.ts";

export const run: Run = async (context, { options }) => {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const entries = await withClient(context, { scopes: ["operator.read"], timeoutMs }, (client) =>
    client.call("system-presence", {}, { timeoutMs }),
  );
  if (context.flags.json) context.out.json(entries);
  else {
    const now = context.clock.now();
    const rows = entries.map((entry) => [
      entry.host ?? entry.instanceId ?? "?",
      entry.mode ?? "",
      entry.version ?? "",
      entry.reason ?? "",
      renderAge(now - entry.ts),
    ]);
    context.out.line(renderTable([["HOST", "MODE", "VERSION", "REASON", "SEEN"], ...rows]));
  }
  return 0;
};
