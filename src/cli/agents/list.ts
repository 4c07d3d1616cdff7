// `agents list`: who answers.

import type { Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import { renderTable } from "../render/output.ts";

export const run: Run = async (context, { options }) => {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const list = await withClient(context, { scopes: ["operator.read"], timeoutMs }, (client) =>
    client.call("agents.list", {}, { timeoutMs }),
  );
  if (context.flags.json) context.out.json(list);
  else {
    const rows = list.agents.map(({ id, name, identity, model }) => [
      id === list.defaultId ? `${id} (default)` : id,
      [identity?.emoji, name ?? identity?.name].filter((part) => part !== undefined).join(" "),
      model?.primary ?? "",
    ]);
    context.out.line(renderTable([["AGENT", "NAME", "MODEL"], ...rows]));
  }
  return 0;
};
