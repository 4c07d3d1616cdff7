// `system.run` on its way to a node. "A person approved this" is a claim that only the Gateway makes, and only for an approval
// that it has a row of: whatever the caller says of it is taken out.

import { Fault } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";
import type { Approvals } from "./approvals.ts";
import type { InvokeRequest } from "./invoke.ts";

/** @throws Fault `forbidden` when the approval that is named does not cover this command. */
export async function prepareParams(request: InvokeRequest, approvals: Pick<Approvals, "use">): Promise<unknown> {
  const { params } = request;
  if (request.command !== "system.run" || !isRecord(params)) return params;
  const { approved: _claim, approvalDecision: _claimed, approvalId: id, ...rest } = params;
  if (typeof id !== "string") return rest;
  const decision = await approvals.use({
    id,
    requester: request.scope.principal,
    command: {
      argv: toArgv(rest["command"]),
      text: undefined,
      cwd: typeof rest["cwd"] === "string" ? rest["cwd"] : null,
      env: toEnv(rest["env"]),
      nodeId: request.nodeId,
    },
  });
  // the node's own rules say what counts when nobody answered
  if (decision === "unanswered") return { ...rest, approvalDecision: decision };
  if (decision) return { ...rest, approved: true, approvalDecision: decision };
  throw new Fault("forbidden", "that approval does not cover this command", {
    field: "params.approvalId",
    next: "ask again with exec.approval.request: an approval holds once, for the same argv, cwd, env and node",
    details: { code: "APPROVAL_MISMATCH" },
  });
}

function toArgv(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((word) => typeof word === "string") ? value : undefined;
}

function toEnv(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}
