// The config file for commands that read or change it: with or without a Gateway, also while it has errors (R9).

import { Fault } from "../../base/fault.ts";
import { renderProblem } from "../../config/explain.ts";
import { createConfigWriter, type ConfigWriter, type SourceFile } from "../../config/write.ts";
import { configFiles } from "../config-files.ts";
import type { Context } from "../context.ts";

export function openConfigFile(context: Context): ConfigWriter {
  return createConfigWriter({ files: configFiles(context), clock: context.clock, isMending: true });
}

/** @throws Fault naming the place when the file cannot be parsed: then nothing in it can be found or changed. */
export function parsedValue({ value, problems }: SourceFile, { paths, command }: Context): Record<string, unknown> {
  if (value !== undefined) return value;
  const [problem] = problems;
  throw new Fault("config_invalid", problem ? renderProblem(paths.config, problem) : "the config cannot be read", {
    next: `mend the file there, or put the last good version back: ${command("config rollback")}`,
  });
}

export function notFound(path: string, { command }: Context): Fault {
  return new Fault("not_found", `Config path not found: ${path}`, {
    field: path,
    next: `${command("config get <section>")} shows what is there; docs/configuration.md has every key`,
  });
}

export function tellChanged({ out, flags, paths }: Context, what: "Updated" | "Removed", key: string): void {
  if (flags.json) out.json({ ok: true, path: paths.config, [what === "Updated" ? "set" : "unset"]: key });
  else out.line(`${what} ${key}. A running gateway takes it up by itself.`);
}

/** What is still wrong with the file after a change that was taken. */
export function warn({ problems }: SourceFile, { out, paths }: Context): void {
  for (const problem of problems) out.error(`warning: ${renderProblem(paths.config, problem)}`);
}

export interface Issue {
  readonly path: string;
  readonly message: string;
}

/** What a refused text has for problems; none for any other error. */
export function issuesOf(error: unknown): readonly Issue[] {
  const issues = error instanceof Fault ? error.details?.["issues"] : undefined;
  // made by config/write
  return Array.isArray(issues) ? (issues as Issue[]) : [];
}

/** Prints each problem on a line of its own. @returns what is to be thrown. */
export function explainRefusal(error: unknown, { out }: Context): unknown {
  const issues = issuesOf(error);
  if (!(error instanceof Fault) || issues.length === 0) return error;
  for (const { path, message } of issues) out.error(`- ${path}: ${message}`);
  const { field, details } = error;
  return new Fault(error.code, error.message, {
    cause: error,
    next: "nothing was written; give what is named above another value",
    ...(field === undefined ? {} : { field }),
    ...(details === undefined ? {} : { details }),
  });
}
