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
export function parsedValue({ value, problems }: SourceFile, { paths }: Context): Record<string, unknown> {
  if (value !== undefined) return value;
  const [problem] = problems;
  throw new Fault("config_invalid", problem ? renderProblem(paths.config, problem) : "the config cannot be read", {
    next: "mend the file at this place",
  });
}

export function notFound(path: string): Fault {
  return new Fault("not_found", `Config path not found: ${path}`, { field: path });
}

/** What is still wrong with the file after a change that was taken. */
export function warn({ problems }: SourceFile, { out, paths }: Context): void {
  for (const problem of problems) out.error(`warning: ${renderProblem(paths.config, problem)}`);
}

/** Each problem on a line of its own. */
export function explainRefusal(error: unknown, { out }: Context): void {
  const issues = error instanceof Fault ? error.details?.["issues"] : undefined;
  if (!Array.isArray(issues)) return;
  // made by config/write
  for (const { path, message } of issues as { path: string; message: string }[]) out.error(`- ${path}: ${message}`);
}
