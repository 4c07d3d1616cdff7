// `exec.*`: asking, deciding, and the files of commands that may run without asking.

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import type { ExecApprovalsStore } from "../config/exec-approvals.ts";
import type { MethodParams } from "../protocol/contract.ts";
import type { Caller, HandlersOf } from "../ports/method.ts";
import { describeApproval, unknownApproval, type Approvals, type Ask } from "./approvals.ts";
import type { Invoker } from "./invoke.ts";
import type { Approval, Decision } from "./store/exec-approvals.ts";

export interface ApprovalMethodDependencies {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly approvals: Approvals;
  readonly invoker: Invoker;
  /** This machine's file. */
  readonly file: ExecApprovalsStore;
}

type Names =
  | "exec.approval.request"
  | "exec.approval.resolve"
  | "exec.approval.get"
  | "exec.approval.list"
  | "exec.approvals.get"
  | "exec.approvals.set"
  | "exec.approvals.node.get"
  | "exec.approvals.node.set";

const decisions: readonly Decision[] = ["allow-once", "allow-always", "deny"];

export function createApprovalHandlers(dependencies: ApprovalMethodDependencies): HandlersOf<Names> {
  const { clock, approvals, file } = dependencies;
  return {
    async "exec.approval.request"({ params, caller, signal, accept }) {
      const approval = await approvals.open(toAsk(params, caller));
      const { id, createdAt: createdAtMs, expiresAt: expiresAtMs } = approval;
      if (params.twoPhase === true) accept({ status: "accepted", id, createdAtMs, expiresAtMs });
      const decision = (await approvals.wait(approval, signal)) ?? null;
      return { id, decision, createdAtMs, expiresAtMs };
    },

    async "exec.approval.resolve"({ params, caller }) {
      const decision = decisions.find((known) => known === params.decision);
      if (!decision)
        throw new Fault("invalid_params", "invalid decision", {
          field: "decision",
          next: `use one of: ${decisions.join(", ")}`,
        });
      await approvals.resolve({ id: params.id, decision, by: caller.client.displayName ?? caller.client.id });
      return { ok: true };
    },

    async "exec.approval.get"({ params }) {
      const approval = await approvals.find(params.id);
      if (!approval) throw unknownApproval();
      return describeState(approval, clock.now());
    },

    "exec.approval.list": async () => (await approvals.listOpen()).map(describeApproval),

    "exec.approvals.get": () => file.read(),
    "exec.approvals.set": ({ params }) => file.replace(params.file, params.baseHash),
    "exec.approvals.node.get": ({ params, caller }) =>
      askNode(dependencies, caller, { nodeId: params.nodeId, command: "system.execApprovals.get", params: {} }),
    "exec.approvals.node.set": ({ params: { nodeId, file: newFile, baseHash }, caller }) =>
      askNode(dependencies, caller, {
        nodeId,
        command: "system.execApprovals.set",
        params: { file: newFile, ...(baseHash === undefined ? {} : { baseHash }) },
      }),
  };
}

function describeState(approval: Approval, now: number) {
  const { decision, resolvedBy, resolvedAt, expiresAt } = approval;
  const status = decision ? ("resolved" as const) : expiresAt > now ? ("pending" as const) : ("expired" as const);
  return {
    ...describeApproval(approval),
    status,
    decision: decision ?? null,
    ...(resolvedBy === undefined ? {} : { resolvedBy }),
    ...(resolvedAt === undefined ? {} : { resolvedAtMs: resolvedAt }),
  };
}

async function askNode(
  { invoker, ids }: ApprovalMethodDependencies,
  caller: Caller,
  request: { nodeId: string; command: string; params: object },
): Promise<unknown> {
  // each of these is a request of its own: nobody repeats it by a key
  const scope = { principal: caller.principal, method: "exec.approvals.node", key: ids.uuid() };
  return (await invoker.invoke({ scope, ...request })).payload;
}

function toAsk(params: MethodParams<"exec.approval.request">, caller: Caller): Ask {
  const { id, command: text, env = {}, timeoutMs } = params;
  const argv = params.commandArgv ?? params.systemRunPlan?.argv;
  if (argv === undefined && text === undefined)
    throw new Fault("invalid_params", "what should be approved?", { field: "command", next: "name the command" });
  return {
    ...(id === undefined ? {} : { id }),
    requester: caller.principal,
    command: { argv, text, cwd: params.cwd ?? null, env, nodeId: params.nodeId ?? null },
    details: { ...unsaid, ...pickSaid(params) },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

const unsaid = { host: null, security: null, ask: null, agentId: null, resolvedPath: null, sessionKey: null };

function pickSaid(params: { readonly [Key in keyof typeof unsaid]?: string | null }): Partial<Ask["details"]> {
  const { host, security, ask, agentId, resolvedPath, sessionKey } = params;
  const said = Object.entries({ host, security, ask, agentId, resolvedPath, sessionKey });
  return Object.fromEntries(said.filter(([, value]) => value !== undefined));
}
