// Services of systemd, by `systemctl`. Used by the CLI alone: a running Gateway never asks about its own unit (R12).

import { unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import { sleep, type Clock } from "../base/clock.ts";
import { isCode } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../platform/files.ts";
import { setAside, type Aside } from "./aside.ts";
import type { ServiceDefinition } from "./definition.ts";
import type { ServiceManager, ServiceRuntime, ServiceStatus } from "./service.ts";
import { explainSystemctl } from "./systemd-faults.ts";
import { parseUnit, renderUnit, type UnitScope } from "./systemd-unit.ts";
import { said, type Tool } from "./tool.ts";

export interface SystemdOptions {
  /** With `.service`. */
  readonly unit: string;
  readonly scope: UnitScope;
  /** Of the unit files. */
  readonly folder: string;
  readonly legacyUnits: readonly string[];
  readonly systemctl: Tool;
  readonly journalctl: Tool;
  readonly clock: Clock;
  readonly user: { readonly name: string; readonly uid: number };
  readonly isWsl: boolean;
  /** Is systemd the machine's first process. */
  readonly isBooted: () => Promise<boolean>;
  readonly aside: Aside;
  /** A service that ends at once is noticed within this time. */
  readonly settleMs?: number;
}

const properties =
  "LoadState,UnitFileState,ActiveState,SubState,MainPID,ExecMainStatus,ExecMainCode,Result,StateChangeTimestamp,NRestarts";

export function createSystemdManager(options: SystemdOptions): ServiceManager {
  const { unit, scope, folder, systemctl, user, isWsl } = options;
  const path = join(folder, unit);
  const own = scope === "user" ? ["--user"] : [];
  const typed = scope === "user" ? "systemctl --user" : "sudo systemctl";
  const call = (...args: string[]) => systemctl(...own, ...args);
  const explain = async (text: string) =>
    explainSystemctl(text, { unit, scope, user, isWsl, isBooted: await options.isBooted() });
  const mustCall = async (...args: string[]) => {
    const result = await call(...args);
    if (result.exitCode !== 0) throw await explain(said(result));
  };
  const show = async (): Promise<ServiceStatus> => {
    const result = await call("show", unit, "--no-page", "--property", properties);
    if (result.exitCode !== 0) throw await explain(said(result));
    return { isLoaded: isEnabled(result.stdout), runtime: toRuntime(result.stdout) };
  };

  const status = async (): Promise<ServiceStatus> => {
    try {
      return await show();
    } catch (error) {
      return { isLoaded: false, runtime: unknown(error) };
    }
  };

  const removeLegacy = async () => {
    const warnings: string[] = [];
    for (const legacy of options.legacyUnits) {
      const file = join(folder, legacy);
      if ((await readTextIfExists(file)) === undefined) continue;
      const result = await call("disable", "--now", legacy);
      if (result.exitCode !== 0) warnings.push(`${legacy}, of an older name, could not be stopped: ${said(result)}`);
      warnings.push(
        `${legacy}, of an older name, was taken away; it is kept as ${await setAside(file, options.aside)}`,
      );
    }
    return warnings;
  };

  return {
    label: scope === "user" ? "systemd" : "systemd (system)",
    loadedText: "enabled",
    notLoadedText: "disabled",
    name: unit,
    scope,
    path,
    byHand: { stop: `${typed} stop ${unit}`, restart: `${typed} restart ${unit}` },
    logsCommand: `journalctl ${scope === "user" ? "--user " : ""}-u ${unit} -n 200 --no-pager`,
    render: renderUnit,
    async read() {
      const text = await readTextIfExists(path).catch(ignoreForbidden);
      return text === undefined ? undefined : { path, text, ...parseUnit(text) };
    },
    status,
    async install(definition: ServiceDefinition) {
      // a file that nobody will read must not be left behind
      await mustCall("show", "--property", "Version");
      const warnings = await removeLegacy();
      await ensureFolder(dirname(path), 0o755);
      await writeFileAtomic(path, renderUnit(definition), { mode: 0o644 });
      await mustCall("daemon-reload");
      await mustCall("enable", unit);
      await mustCall("restart", unit);
      return [...warnings, ...(await checkThere(options, show))];
    },
    async uninstall() {
      const result = await call("disable", "--now", unit);
      if (result.exitCode !== 0 && !isMissing(said(result))) throw await explain(said(result));
      await unlink(path).catch(ignoreMissing);
      await mustCall("daemon-reload");
      // a unit that failed is remembered until somebody says otherwise
      await call("reset-failed", unit);
    },
    start: () => mustCall("start", unit),
    async stop() {
      const result = await call("stop", unit);
      if (result.exitCode !== 0 && !/not loaded/u.test(said(result))) throw await explain(said(result));
    },
    restart: () => mustCall("restart", unit),
    async output() {
      const result = await options.journalctl(...own, "-u", unit, "-n", "50", "-o", "cat", "--no-pager");
      return result.exitCode === 0 ? result.stdout.split("\n").filter((line) => line.trim() !== "") : [];
    },
  };
}

/** Read back what the system made of it. */
async function checkThere(
  { clock, unit, settleMs = 1_000 }: SystemdOptions,
  show: () => Promise<ServiceStatus>,
): Promise<string[]> {
  const pauseMs = settleMs / 5;
  for (let waited = 0; ; waited += pauseMs) {
    const { runtime } = await show();
    if (runtime.missingUnit === true)
      throw new Fault("not_found", `systemd does not find ${unit} after it was written`, {
        next: "check that this home folder is the one that systemd looks into",
      });
    if (runtime.state === "failed" || runtime.subState === "auto-restart") {
      const how = runtime.lastExitReason ?? `exit code ${runtime.lastExitStatus ?? "unknown"}`;
      return [`the service was started and ended at once (${how}); systemd starts it again every 5 s`];
    }
    if (waited >= settleMs) return [];
    await sleep(clock, pauseMs);
  }
}

const isMissing = (text: string) => /not loaded|does not exist|could not be found|not found/iu.test(text);

/** A unit of the machine with secrets in it is its administrator's: it is there, and says nothing. */
function ignoreForbidden(error: unknown): string {
  if (isCode(error, "EACCES")) return "";
  throw error;
}

function ignoreMissing(error: unknown): void {
  if (!isCode(error, "ENOENT")) throw error;
}

function unknown(error: unknown): ServiceRuntime {
  if (!(error instanceof Fault)) throw error;
  return { status: "unknown", detail: error.message, ...(error.next ? { next: error.next } : {}) };
}

function createReader(text: string): (name: string) => string | undefined {
  return (name) => new RegExp(`^${name}=(.*)$`, "mu").exec(text)?.[1]?.trim() || undefined;
}

/** Those for which `systemctl is-enabled` ends with 0: systemctl(1), "Unit File Commands". */
const enabledStates = /^(?:enabled|enabled-runtime|static|alias|indirect|generated|transient)$/u;
const isEnabled = (text: string) => enabledStates.test(createReader(text)("UnitFileState") ?? "");

function toRuntime(text: string): ServiceRuntime {
  const value = createReader(text);
  const state = value("ActiveState");
  const subState = value("SubState");
  const pid = Number(value("MainPID") ?? 0);
  const exitStatus = value("ExecMainStatus");
  const reason = exitReason(value("ExecMainCode"), exitStatus);
  return {
    status: decideStatus(state),
    ...(state === undefined ? {} : { state }),
    ...(subState === undefined ? {} : { subState }),
    ...(pid > 0 ? { pid } : {}),
    ...(reason === undefined ? {} : { lastExitStatus: Number(exitStatus), lastExitReason: reason }),
    ...describeLoad(value("LoadState")),
  };
}

function decideStatus(state: string | undefined): ServiceRuntime["status"] {
  if (state === undefined) return "unknown";
  return state === "active" ? "running" : "stopped";
}

function describeLoad(load: string | undefined): Pick<ServiceRuntime, "missingUnit" | "detail"> {
  if (load === "not-found") return { missingUnit: true };
  return load === undefined || load === "loaded" ? {} : { detail: `the unit is ${load}` };
}

/** systemd counts like waitid(2): 1 it ended, 2 a signal, 3 a signal with a core dump; 0 it has not ended yet. */
function exitReason(code: string | undefined, status: string | undefined): string | undefined {
  if (code === "1" || code === "exited") return `exit code ${status ?? "unknown"}`;
  if (code === "2" || code === "3" || code === "killed" || code === "dumped") return `signal ${status ?? "unknown"}`;
  return undefined;
}
