// The params of `system.run`, from whoever sent them.

import { Fault } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";
import type { RunQuestion } from "./policy.ts";

export interface Run {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The caller's own variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number | undefined;
  readonly agentId: string;
  readonly sessionKey: string;
  readonly runId: string | undefined;
  readonly approval: RunQuestion["approval"];
}

const maxArguments = 1_024;

/** @throws Fault `invalid_params`. `rawCommand` and other texts about the command are not looked at: argv is what runs. */
export function parseRun(params: unknown, home: string): Run {
  if (!isRecord(params)) throw wrong("params", "must be an object");
  const { timeoutMs, runId } = params;
  if (timeoutMs !== undefined && timeoutMs !== null && !(typeof timeoutMs === "number" && timeoutMs > 0))
    throw wrong("timeoutMs", "must be a positive number");
  return {
    argv: parseArgv(params["command"]),
    cwd: parseText(params, "cwd", home),
    env: parseVariables(params["env"]),
    timeoutMs: typeof timeoutMs === "number" ? timeoutMs : undefined,
    agentId: parseText(params, "agentId", "main"),
    sessionKey: parseText(params, "sessionKey", "main"),
    runId: typeof runId === "string" ? runId : undefined,
    approval: toApproval(params),
  };
}

function parseArgv(value: unknown): readonly [string, ...string[]] {
  if (!isTexts(value) || value.length > maxArguments)
    throw wrong("command", `must be a list of at most ${maxArguments} texts: the program and its arguments`);
  const [name, ...args] = value;
  if (name === undefined || name.trim() === "") throw wrong("command", "required");
  if (value.some((word) => word.includes("\0"))) throw wrong("command", "must not contain NUL");
  return [name, ...args];
}

function parseVariables(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  const entries = isRecord(value) ? Object.entries(value) : [["", 0] as const];
  return Object.fromEntries(
    entries.map(([name, text]) => {
      if (typeof text !== "string") throw wrong("env", "must be an object of texts");
      return [name, text];
    }),
  );
}

function parseText(params: Readonly<Record<string, unknown>>, field: string, fallback: string): string {
  const value = params[field];
  if (value === undefined || value === null || value === "") return fallback;
  if (typeof value !== "string") throw wrong(field, "must be a text");
  return value;
}

function toApproval({ approved, approvalDecision }: Readonly<Record<string, unknown>>): RunQuestion["approval"] {
  if (approvalDecision === "unanswered") return "unanswered";
  if (approved !== true) return undefined;
  return approvalDecision === "allow-always" ? "allow-always" : "allow-once";
}

const wrong = (field: string, what: string) => new Fault("invalid_params", `${field} ${what}`, { field });
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((word) => typeof word === "string");
