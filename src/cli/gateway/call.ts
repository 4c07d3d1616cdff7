// `gateway call`: any method, for debugging and scripts.

import type { Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import { parseParams } from "../params.ts";

export const run: Run = async (context, { options, args }) => {
  const method = args[0] ?? "";
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const params = parseParams((options["params"] as string | undefined) ?? "{}");
  const result = await withClient(context, { scopes: ["operator.admin"], timeoutMs }, (client) =>
    client.callAny(method, params, { timeoutMs, isFinal: options["expectFinal"] === true }),
  );
  if (!context.flags.json) context.out.line(context.out.style("bold", `Gateway call: ${method}`));
  context.out.json(result);
  return 0;
};
