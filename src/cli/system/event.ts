// `system event`: tells the agent of something, now or with its next turn.

import { Fault } from "../../base/fault.ts";
import type { Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";

export const run: Run = async (context, { options }) => {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const { text, mode = "next-heartbeat" } = options;
  if (typeof text !== "string" || text.trim() === "")
    throw new Fault("usage", "--text is missing", { field: "--text", next: "say what happened" });
  if (mode !== "now" && mode !== "next-heartbeat")
    throw new Fault("usage", `no such mode: ${String(mode)}`, { field: "--mode", next: "now or next-heartbeat" });
  const result = await withClient(context, { scopes: ["operator.write"], timeoutMs }, (client) =>
    client.call("wake", { text, mode }, { timeoutMs }),
  );
  if (context.flags.json) context.out.json(result);
  else context.out.line(mode === "now" ? "The agent looks at it now." : "The agent will see it with its next turn.");
  return result.ok ? 0 : 1;
};
