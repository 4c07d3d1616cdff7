// Writes what was answered: the config in one change, then the token and the workspace. All of it can be done again; what is
// there stays.

import { chmod, stat } from "node:fs/promises";

import { Fault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import { changeText, renderText } from "../config/edit.ts";
import { renderProblem } from "../config/explain.ts";
import { applyMergePatch } from "../config/merge.ts";
import type { ConfigWriter, SourceFile } from "../config/write.ts";
import type { Env } from "../platform/env.ts";
import { ensureFolder } from "../platform/files.ts";
import type { Paths } from "../platform/paths.ts";
import type { PrivateFiles } from "../ports/files.ts";
import { toPatch, type Answers } from "./answers.ts";
import { settleToken, type SettledSecret } from "./token.ts";
import { makeWorkspace } from "./workspace.ts";

export interface SetupDependencies {
  readonly paths: Paths;
  readonly env: Env;
  readonly writer: ConfigWriter;
  readonly files: PrivateFiles;
  readonly ids: Ids;
}

export interface SetupOptions {
  /** The config begins anew; its text until now is kept as `.bak`. */
  readonly isReset?: boolean;
}

export interface SetupReport {
  readonly mode: "local" | "remote";
  readonly isConfigNew: boolean;
  readonly isConfigChanged: boolean;
  /** Undefined on a machine that is a client only. */
  readonly workspace: { readonly folder: string; readonly created: readonly string[] } | undefined;
  readonly secret: SettledSecret | undefined;
}

/** @throws Fault `config_invalid` when the file has errors, `invalid_params` when the answers do not fit: nothing is written then. */
export async function applySetup(
  answers: Answers,
  { isReset = false }: SetupOptions,
  dependencies: SetupDependencies,
): Promise<SetupReport> {
  const { paths, env, writer, files, ids } = dependencies;
  const before = await writer.read();
  const after = await writer.write((source) => changeConfig(source, answers, { isReset, paths }));
  await closeFolder(paths.state);
  // reading closes a file to others
  await files.read(paths.config);
  const report = {
    isConfigNew: !before.exists,
    isConfigChanged: before.text !== after.text,
  };
  const { config } = after;
  // the writer takes nothing else
  if (config === undefined) throw invalid(after.problems, paths);
  if (config.gateway.mode === "remote") return { ...report, mode: "remote", workspace: undefined, secret: undefined };
  const secret = await settleToken({
    wanted: answers.gateway?.token,
    auth: config.gateway.auth,
    env,
    files,
    tokenFile: paths.gatewayToken,
    ids,
  });
  const folder = config.agents.defaults.workspace ?? paths.workspace;
  const isBare = config.agents.defaults.skipBootstrap === true;
  const created = await makeWorkspace({ folder, isBare, files });
  return { ...report, mode: "local", workspace: { folder, created }, secret };
}

function changeConfig(
  source: SourceFile,
  answers: Answers,
  { isReset, paths }: { isReset: boolean; paths: Paths },
): string {
  const patch = (whole: Readonly<Record<string, unknown>>) => toPatch(answers, { whole, workspace: paths.workspace });
  if (isReset) return renderText(applyMergePatch({}, patch({})));
  const { value, whole, problems } = source;
  if (value === undefined || whole === undefined || problems.length > 0) throw invalid(problems, paths);
  return changeText(source.text, value, applyMergePatch(value, patch(whole)));
}

function invalid(problems: SourceFile["problems"], { config }: Paths): Fault {
  const lines = problems.map((problem) => renderProblem(config, problem));
  return new Fault("config_invalid", `Config invalid:\n  ${lines.join("\n  ")}`, {
    next: "mend the file at the places named, or begin anew with onboard --reset",
  });
}

/** A state folder that somebody made by hand, or that came out of a backup, may be open to others. */
async function closeFolder(path: string): Promise<void> {
  await ensureFolder(path);
  if (process.platform === "win32") return;
  const { mode, uid } = await stat(path);
  if ((mode & 0o077) !== 0 && uid === process.getuid?.()) await chmod(path, 0o700);
}
