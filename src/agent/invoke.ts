// POST /tools/invoke: one tool, called by a program instead of a model. What runs code, writes files or reaches other sessions is
// closed there unless its owner opens it (S12).

import { Fault } from "../base/fault.ts";
import { parseRunId, type Ids } from "../base/ids.ts";
import { isRecord, parseJson } from "../base/json.ts";
import { agentOf, widenSessionKey, type RoutePolicy } from "../conversation/route.ts";
import type { HttpReply, HttpRequest } from "../ports/route.ts";
import type { Tool } from "../ports/tool.ts";

export interface InvokeDependencies {
  readonly tools: () => readonly Tool[];
  readonly policy: () => { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
  readonly routePolicy: () => RoutePolicy;
  readonly ids: Ids;
}

/** Closed over HTTP unless the config opens them by name. */
const closedByDefault: ReadonlySet<string> = new Set([
  "exec",
  "process",
  "bash",
  "shell",
  "write",
  "edit",
  "apply_patch",
  "fs_write",
  "fs_delete",
  "fs_move",
  "sessions_spawn",
  "sessions_send",
  "cron",
  "gateway",
  "nodes",
  "whatsapp_login",
]);

/** May this tool be called over HTTP? Pure. */
export function isOpen(name: string, { allow = [], deny = [] }: ReturnType<InvokeDependencies["policy"]>): boolean {
  if (deny.includes(name) || deny.includes("*")) return false;
  return !closedByDefault.has(name) || allow.includes(name);
}

/** @throws Fault `invalid_params`, `not_found` for a tool that is not there or closed, or what the tool throws. */
export async function answerInvoke(
  request: HttpRequest,
  reply: HttpReply,
  dependencies: InvokeDependencies,
): Promise<void> {
  const body = await request.json();
  if (!isRecord(body)) throw new Fault("invalid_params", "the body must be a JSON object");
  const name = typeof body["tool"] === "string" ? body["tool"].trim() : "";
  if (name === "") throw new Fault("invalid_params", "tool must name a tool", { field: "tool" });
  const tool = dependencies.tools().find((candidate) => candidate.name === name);
  if (!tool || !isOpen(name, dependencies.policy())) {
    throw new Fault("not_found", `there is no tool ${JSON.stringify(name.slice(0, 80))} here`, {
      next: "see tools.catalog, and gateway.tools.allow",
    });
  }
  const args = readArgs(body, tool);
  const { compileSchema } = await import("./tool-schema.ts");
  const problems = compileSchema(tool.parameters)(args);
  if (problems !== undefined) throw new Fault("invalid_params", `args: ${problems}`, { field: "args" });

  const policy = dependencies.routePolicy();
  const sessionKey = widenSessionKey(typeof body["sessionKey"] === "string" ? body["sessionKey"] : "main", policy);
  const agentId = agentOf(sessionKey, policy.defaultAgentId);
  if (body["dryRun"] === true) {
    reply.json(200, { ok: true, result: { dryRun: true, tool: name, sessionKey, args } });
    return;
  }
  const key = request.headers["idempotency-key"];
  const id = typeof key === "string" && key !== "" ? key.slice(0, 200) : dependencies.ids.uuid();
  const context = {
    runId: parseRunId(`http:${id}`),
    effectKey: `http:${name}:${id}`,
    sessionKey,
    agentId,
    origin: undefined,
    model: "",
    // the scope that the route asks for is the owner's
    isOwner: true,
    trace: request.trace,
  };
  const text = await tool.run(args, context, request.signal);
  const details = parseJson(text);
  reply.json(200, {
    ok: true,
    result: { content: [{ type: "text", text }], ...(details === undefined ? {} : { details }) },
  });
}

/** `action` of the body is the tool's own parameter of that name, where it has one. */
function readArgs(body: Readonly<Record<string, unknown>>, { parameters }: Tool): Record<string, unknown> {
  const { args = {}, action } = body;
  if (!isRecord(args)) throw new Fault("invalid_params", "args must be an object", { field: "args" });
  const { properties } = parameters;
  const hasAction = isRecord(properties) && Object.hasOwn(properties, "action");
  return action === undefined || args["action"] !== undefined || !hasAction ? args : { ...args, action };
}
