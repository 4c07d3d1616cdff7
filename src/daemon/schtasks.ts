// Scheduled tasks of Windows, by `schtasks`: one that starts with the login and runs a script in the state folder.

import { unlink } from "node:fs/promises";
import { dirname } from "node:path";

import { isCode } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../platform/files.ts";
import type { ProcessResult } from "../platform/process.ts";
import type { ServiceManager, ServiceRuntime } from "./service.ts";
import { parseTaskScript, renderTaskScript } from "./task-script.ts";
import { said, type Tool } from "./tool.ts";

export interface TaskOptions {
  readonly name: string;
  /** Of the script. */
  readonly path: string;
  readonly schtasks: Tool;
}

export function createTaskManager({ name, path, schtasks }: TaskOptions): ServiceManager {
  const must = async (...args: string[]) => {
    const result = await schtasks(...args);
    if (result.exitCode !== 0) throw explain(result, name);
  };
  const query = async (): Promise<ServiceRuntime> => {
    const result = await schtasks("/Query", "/TN", name, "/V", "/FO", "LIST");
    if (result.exitCode === 0) return toRuntime(result.stdout);
    if (isAbsent(result)) return { status: "stopped", missingUnit: true };
    throw explain(result, name);
  };
  const end = async () => {
    const result = await schtasks("/End", "/TN", name);
    if (result.exitCode !== 0 && !isAbsent(result) && !/not.*running/iu.test(said(result))) throw explain(result, name);
  };

  return {
    label: "Scheduled Task",
    loadedText: "registered",
    notLoadedText: "missing",
    name,
    scope: "user",
    path,
    byHand: {
      stop: `schtasks /End /TN "${name}"`,
      restart: `schtasks /End /TN "${name}" & schtasks /Run /TN "${name}"`,
    },
    logsCommand: `schtasks /Query /TN "${name}" /V /FO LIST`,
    render: renderTaskScript,
    async read() {
      const text = await readTextIfExists(path);
      return text === undefined ? undefined : { path, text, ...parseTaskScript(text) };
    },
    async status() {
      try {
        const runtime = await query();
        return { isLoaded: runtime.missingUnit !== true, runtime };
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        return { isLoaded: false, runtime: { status: "unknown", detail: error.message } };
      }
    },
    async install(definition) {
      await ensureFolder(dirname(path));
      await writeFileAtomic(path, renderTaskScript(definition));
      await must("/Create", "/F", "/SC", "ONLOGON", "/RL", "LIMITED", "/TN", name, "/TR", `"${path}"`);
      await must("/Run", "/TN", name);
      const runtime = await query();
      if (runtime.missingUnit === true)
        throw new Fault("not_found", `the task ${name} is not there after it was made`, {
          next: "make it in taskschd.msc",
        });
      return [];
    },
    async uninstall() {
      await end();
      const result = await schtasks("/Delete", "/F", "/TN", name);
      if (result.exitCode !== 0 && !isAbsent(result)) throw explain(result, name);
      await unlink(path).catch((error: unknown) => {
        if (!isCode(error, "ENOENT")) throw error;
      });
    },
    start: () => must("/Run", "/TN", name),
    stop: end,
    async restart() {
      await end();
      await must("/Run", "/TN", name);
    },
    output: () => Promise.resolve([]),
  };
}

const isAbsent = (result: ProcessResult) => /cannot find the (?:file|path)|does not exist/iu.test(said(result));

function explain(result: ProcessResult, name: string): Fault {
  const line =
    said(result)
      .split("\n")[0]
      ?.replace(/^ERROR:\s*/u, "") || `exit code ${result.exitCode ?? "unknown"}`;
  if (/access is denied/iu.test(line))
    return new Fault("forbidden", `Windows does not let this user manage the task ${name} (${line})`, {
      next: "open a terminal as administrator, or run the Gateway within WSL2",
    });
  if (isAbsent(result)) return new Fault("not_found", `there is no task ${name}`, { next: "install it first" });
  return new Fault("unreachable", `schtasks failed for ${name}: ${line}`, { next: "look at the task in taskschd.msc" });
}

function toRuntime(text: string): ServiceRuntime {
  const value = (key: string) => new RegExp(`^${key}:\\s*(.+?)\\s*$`, "mu").exec(text)?.[1];
  const state = value("Status");
  const result = value("Last Result") ?? value("Last Run Result");
  const time = value("Last Run Time");
  return {
    // in another language than English only the system's own words are known
    status: state === "Running" ? "running" : state === "Ready" || state === "Disabled" ? "stopped" : "unknown",
    ...(state === undefined ? {} : { state }),
    ...(result === undefined ? {} : { lastRunResult: result }),
    ...(time === undefined ? {} : { lastRunTime: time }),
  };
}
