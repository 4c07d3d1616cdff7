// `gateway call`: any method, for debugging and scripts.

import { Fault } from "../../base/fault.ts";
import type { Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";

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

function parseParams(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Fault("usage", `--params is not JSON: ${error instanceof Error ? error.message : text}`, {
      field: "--params",
      next: `write it as '{"key":"value"}'`,
    });
  }
}
