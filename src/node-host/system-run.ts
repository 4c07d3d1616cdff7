// `system.run`: a program with its arguments, if this machine's own rules allow it. The Gateway's word is needed for an approval
// and enough for nothing else.

import { Fault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import type { ExecApprovalsStore } from "../config/exec-approvals.ts";
import type { ProcessResult, RunProcess } from "../platform/process.ts";
import { buildChildEnv } from "./child-env.ts";
import type { CommandCall } from "./commands.ts";
import { decideRun, type RunQuestion } from "./policy.ts";
import { parseRun } from "./run-params.ts";

export interface SystemRunDependencies {
  readonly approvals: Pick<ExecApprovalsStore, "load" | "update">;
  readonly runProcess: RunProcess;
  readonly findProgram: (name: string, cwd: string) => Promise<string | undefined>;
  readonly variable: (name: string) => string | undefined;
  readonly home: string;
  readonly ids: Ids;
  /** Tells the Gateway how it went, for the session that asked. */
  readonly tell: (event: "exec.finished" | "exec.denied", payload: object) => void;
}

export interface RunAnswer {
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly error: string | null;
  readonly truncated: boolean;
}

/** Of each of the two outputs. */
const maxOutputBytes = 200_000;
const defaultTimeoutMs = 30_000;

export function createSystemRun(dependencies: SystemRunDependencies): (call: CommandCall) => Promise<RunAnswer> {
  return async ({ params, timeoutMs, signal }) => {
    const run = parseRun(params, dependencies.home);
    const program = await dependencies.findProgram(run.argv[0], run.cwd);
    const env = buildChildEnv(dependencies.variable, run.env);
    const question: RunQuestion = {
      agentId: run.agentId,
      program,
      args: run.argv.slice(1),
      hasOwnEnv: Object.keys(run.env).length > 0,
      approval: run.approval,
      home: dependencies.home,
    };
    const about = { sessionKey: run.sessionKey, runId: run.runId, host: "node", command: run.argv.join(" ") };
    const verdict = decideRun(await dependencies.approvals.load(), question);
    if (!verdict.isAllowed) {
      dependencies.tell("exec.denied", { ...about, reason: verdict.reason });
      throw denied(verdict.reason);
    }
    if (program === undefined) throw new Fault("not_found", `no such program: ${run.argv[0]}`, { field: "command" });
    if (verdict.by === "approval" && run.approval === "allow-always") await remember(question, program, dependencies);
    const result = await dependencies.runProcess({
      program,
      argv: run.argv,
      cwd: run.cwd,
      env,
      timeoutMs: run.timeoutMs ?? (timeoutMs > 0 ? timeoutMs : defaultTimeoutMs),
      maxOutputBytes,
      signal,
    });
    const answer = toAnswer(result, run.timeoutMs ?? timeoutMs);
    const { exitCode, timedOut, success } = answer;
    dependencies.tell("exec.finished", { ...about, exitCode, timedOut, success, output: tail(result) });
    return answer;
  };
}

const explanations = {
  "security=deny": "this machine runs nothing for others: set security to allowlist in its exec approvals",
  "approval required": "ask a person with exec.approval.request, then name the approval",
  "allowlist miss": "add the program to the exec approvals of this machine",
};

function denied(reason: keyof typeof explanations): Fault {
  const word = reason === "security=deny" ? "SYSTEM_RUN_DISABLED" : "SYSTEM_RUN_DENIED";
  return new Fault("forbidden", `${word}: ${reason} (${explanations[reason]})`);
}

function toAnswer(result: ProcessResult, limitMs: number): RunAnswer {
  const { exitCode, signal, isTimedOut, stdout, stderr, isTruncated } = result;
  const error = isTimedOut
    ? `no end within ${limitMs} ms: it was stopped`
    : signal === null
      ? null
      : `ended by ${signal}`;
  return { exitCode, timedOut: isTimedOut, success: exitCode === 0, stdout, stderr, error, truncated: isTruncated };
}

/** Events carry the end of the output, the answer all of it. */
const tail = ({ stdout, stderr }: ProcessResult) => [stdout, stderr].filter(Boolean).join("\n").slice(-20_000);

/** "Always" holds for these very arguments. */
async function remember(
  { agentId, args, hasOwnEnv }: RunQuestion,
  program: string,
  { approvals, ids }: SystemRunDependencies,
): Promise<void> {
  if (hasOwnEnv) return;
  const entry = { id: ids.uuid(), pattern: program, args };
  await approvals.update((file) => {
    const agent = file.agents?.[agentId] ?? {};
    const allowlist = [...(agent.allowlist ?? []), entry];
    return { ...file, agents: { ...file.agents, [agentId]: { ...agent, allowlist } } };
  });
}
