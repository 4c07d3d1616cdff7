// `nodes run`: a program on a node. Where the node's rules want a person's leave, people are asked and waited for.

import type { GatewayClient } from "../../client/connect.ts";
import { Fault } from "../../base/fault.ts";
import { isRecord } from "../../base/json.ts";
import type { MethodResult } from "../../protocol/contract.ts";
import type { Invocation, Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import type { Context } from "../context.ts";
import { findNode } from "./find.ts";

const scopes = ["operator.read", "operator.write", "operator.approvals"];
const marginMs = 5_000;

export const run: Run = async (context, invocation) => {
  const { options, args } = invocation;
  if (args.length === 0)
    throw new Fault("usage", "which program?", { next: context.command("nodes run --node <node> -- uname -a") });
  const limitMs = timeOf(invocation, "invokeTimeout", 30_000);
  const timeoutMs = timeOf(invocation, "timeout", limitMs + marginMs);
  const params = {
    command: [...args],
    ...(options["cwd"] ? { cwd: options["cwd"] } : {}),
    ...(options["env"] === undefined ? {} : { env: parseVariables(options["env"]) }),
    ...(options["commandTimeout"] ? { timeoutMs: timeOf(invocation, "commandTimeout", 0) } : {}),
    ...(options["agent"] ? { agentId: options["agent"] } : {}),
  };
  const answer = await withClient(context, { scopes, timeoutMs }, async (client) => {
    const { nodeId } = await findNode(context, client, { given: options["node"], timeoutMs });
    const invoke = (extra: object) =>
      client.call(
        "node.invoke",
        {
          nodeId,
          command: "system.run",
          params: { ...params, ...extra },
          timeoutMs: limitMs,
          idempotencyKey: context.ids.uuid(),
        },
        { timeoutMs },
      );
    try {
      return await invoke({});
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (!error.message.includes("SYSTEM_RUN_DENIED: approval required")) throw explain(context, error);
      const waitMs = timeOf(invocation, "approvalTimeout", 120_000);
      return invoke({ approvalId: await ask(context, client, { nodeId, params, waitMs }) });
    }
  });
  return show(context, answer);
};

function explain({ command }: Context, fault: Fault): Fault {
  if (!fault.message.includes("SYSTEM_RUN_")) return fault;
  const next = `let it run there: ${command("approvals allowlist add <path of the program> --node <node>")}`;
  return new Fault(fault.code, fault.message, { cause: fault, next });
}

interface Question {
  readonly nodeId: string;
  readonly params: {
    readonly command: string[];
    readonly cwd?: unknown;
    readonly env?: Readonly<Record<string, string>>;
  };
  readonly waitMs: number;
}

/** @returns the approval's name, decided or not: the Gateway and the node know what that means. @throws Fault when it was denied. */
async function ask(context: Context, client: GatewayClient, { nodeId, params, waitMs }: Question): Promise<string> {
  const id = context.ids.uuid();
  const { command, cwd, env } = params;
  const where = { ...(typeof cwd === "string" ? { cwd } : {}), ...(env ? { env } : {}) };
  context.out.error(`waiting for a decision: ${context.command(`approvals decide ${id} allow-once`)}`);
  const { decision } = await client.call(
    "exec.approval.request",
    { id, commandArgv: command, ...where, nodeId, host: "node", timeoutMs: waitMs },
    { timeoutMs: waitMs + marginMs },
  );
  if (decision === "deny") throw new Fault("forbidden", "the command was denied");
  return id;
}

function show({ out, flags }: Context, { payload, ...answer }: MethodResult<"node.invoke">): number {
  const { stdout, stderr, exitCode, error, truncated } = isRecord(payload) ? payload : {};
  if (flags.json) out.json({ ...answer, payload });
  else {
    if (typeof stdout === "string") out.write(stdout);
    if (typeof stderr === "string" && stderr !== "") out.error(stderr.replace(/\n$/u, ""));
    if (truncated === true) out.error("(the output was longer; the rest was dropped)");
    if (typeof error === "string") out.error(error);
  }
  return typeof exitCode === "number" ? exitCode : 1;
}

function timeOf({ options }: Invocation, name: string, fallbackMs: number): number {
  return parseTimeout(options[name] as string | undefined, fallbackMs);
}

function parseVariables(value: unknown): Readonly<Record<string, string>> {
  // the option may be given several times, hence a list
  const pairs = (Array.isArray(value) ? value : [value]).map(String);
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)] as const;
      throw new Fault("usage", `not a variable: ${pair}`, { field: "--env", next: "write it as NAME=value" });
    }),
  );
}
