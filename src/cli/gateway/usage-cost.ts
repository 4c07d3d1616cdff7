// `gateway usage-cost`: tokens and cost by day.

import { Fault } from "../../base/fault.ts";
import type { Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import { renderUsage } from "../status/text.ts";

export const run: Run = async (context, { options }) => {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const days = Number(options["days"] ?? 30);
  if (!Number.isInteger(days) || days < 1 || days > 366)
    throw new Fault("usage", `not a number of days from 1 to 366: ${String(options["days"])}`, { field: "--days" });
  const usage = await withClient(context, { scopes: ["operator.read"], timeoutMs }, (client) =>
    client.call("usage.cost", { days }, { timeoutMs }),
  );
  if (context.flags.json) context.out.json(usage);
  else renderUsage(context, usage);
  return 0;
};
