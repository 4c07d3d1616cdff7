// What a command about a service answers, for people and programs.

import { Fault, faultCodes } from "../../base/fault.ts";
import type { ServiceManager } from "../../daemon/service.ts";
import type { ServiceKind } from "../../daemon/names.ts";
import type { Context } from "../context.ts";
import type { OpenedServices } from "./open.ts";

export type Action = "install" | "uninstall" | "start" | "stop" | "restart";

export interface Done {
  readonly result:
    | "installed"
    | "already-installed"
    | "uninstalled"
    | "started"
    | "stopped"
    | "restarted"
    | "not-loaded";
  readonly message: string;
  readonly warnings?: readonly string[];
  /** What to type next. */
  readonly hints?: readonly string[];
}

/** Runs `task` and prints what came of it. @returns the exit code. */
export async function report(
  context: Context,
  { action, services }: { action: Action; services: OpenedServices },
  task: () => Promise<Done>,
): Promise<number> {
  const { manager } = services;
  const { out, flags } = context;
  try {
    const done = await task();
    if (flags.json === true) {
      out.json({ action, ok: true, ...done, service: await describe(manager) });
      return 0;
    }
    out.line(done.message);
    for (const warning of done.warnings ?? []) out.error(`warning: ${warning}`);
    for (const hint of done.hints ?? []) out.line(`next: ${hint}`);
    return 0;
  } catch (error) {
    if (!(error instanceof Fault) || flags.json !== true) throw error;
    const hints = error.next ? { hints: [error.next] } : {};
    out.json({ action, ok: false, error: error.message, ...hints, service: await describe(manager) });
    return faultCodes[error.code].exit;
  }
}

async function describe(manager: ServiceManager) {
  const { isLoaded } = await manager.status();
  const { label, loadedText, notLoadedText } = manager;
  return { label, loaded: isLoaded, loadedText, notLoadedText };
}

export function notInstalled(context: Context, kind: ServiceKind): Done {
  return {
    result: "not-loaded",
    message: `no service is installed for this ${kind === "gateway" ? "Gateway" : "node"}`,
    hints: [
      `${context.command(`${kind} install`)} (a service), or ${context.command(kind === "gateway" ? "gateway" : "node run")} (here)`,
    ],
  };
}
