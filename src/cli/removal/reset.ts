// `reset`: back to a first start, as far as the scope says.

import type { RemovalPart } from "../../backup/removal.ts";
import { Fault } from "../../base/fault.ts";
import type { Run } from "../commands.ts";
import { carryOut } from "./carry-out.ts";

const scopes: Readonly<Record<string, readonly RemovalPart[]>> = {
  config: ["config"],
  "config+creds+sessions": ["config", "credentials", "sessions"],
  full: ["config", "credentials", "sessions", "rest", "workspaces"],
};

export const run: Run = async (context, invocation) => {
  const scope = invocation.options["scope"];
  const parts = typeof scope === "string" && Object.hasOwn(scopes, scope) ? scopes[scope] : undefined;
  if (parts === undefined)
    throw new Fault("usage", scope === undefined ? "reset what?" : `no such scope: ${String(scope)}`, {
      field: "--scope",
      next: `pass --scope ${Object.keys(scopes).join(", or ")}`,
    });
  const code = await carryOut(
    context,
    {
      parts: new Set(parts),
      service: scope === "config" ? "leave" : "stop",
      question: `Reset ${context.paths.state} (${String(scope)})?`,
      hasFolder: false,
    },
    invocation,
  );
  const isDone = code === 0 && invocation.options["dryRun"] !== true && context.flags.json !== true;
  if (isDone) context.out.line(`next: ${context.command("setup")}`);
  return code;
};
