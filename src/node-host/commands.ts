// What this machine does for a Gateway: the table of its commands.

import { Fault } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";
import type { ExecApprovalsStore } from "../config/exec-approvals.ts";
import type { RunProcess } from "../platform/process.ts";
import { buildChildEnv } from "./child-env.ts";

export interface CommandCall {
  readonly params: unknown;
  /** How long the Gateway waits; 0 when it did not say. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** @throws Fault: becomes the error answer. */
export type Command = (call: CommandCall) => Promise<unknown>;

export interface CommandDependencies {
  readonly systemRun: Command;
  readonly approvals: ExecApprovalsStore;
  readonly runProcess: RunProcess;
  readonly findProgram: (name: string, cwd: string) => Promise<string | undefined>;
  readonly variable: (name: string) => string | undefined;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

const maxBins = 256;

export function createCommands(dependencies: CommandDependencies): Readonly<Record<string, Command>> {
  const { approvals, findProgram, home } = dependencies;
  return {
    "system.run": dependencies.systemRun,

    async "system.which"({ params }) {
      const bins = isRecord(params) ? params["bins"] : undefined;
      if (!Array.isArray(bins) || bins.length > maxBins || !bins.every((name) => typeof name === "string"))
        throw new Fault("invalid_params", `bins must be a list of at most ${maxBins} names`, { field: "bins" });
      const names = [...new Set(bins as string[])];
      const found = await Promise.all(names.map(async (name) => [name, await findProgram(name, home)] as const));
      return { bins: Object.fromEntries(found.filter(([, path]) => path !== undefined)) };
    },

    "system.notify": (call) => notify(call, dependencies),

    "system.execApprovals.get": () => approvals.read(),

    async "system.execApprovals.set"({ params }) {
      if (!isRecord(params)) throw new Fault("invalid_params", "file required", { field: "file" });
      const { file, baseHash } = params;
      return approvals.replace(file, typeof baseHash === "string" ? baseHash : undefined);
    },
  };
}

const maxNoticeLength = 4_000;

async function notify(call: CommandCall, dependencies: CommandDependencies): Promise<{ ok: true }> {
  const { title, body } = parseNotice(call.params);
  const argv = noticeArgv(dependencies.platform, title, body);
  const program = argv && (await dependencies.findProgram(argv[0], dependencies.home));
  if (!argv || !program)
    throw new Fault("not_found", "NOTIFY_UNAVAILABLE: this machine has nothing that shows notifications", {
      next: "install notify-send (libnotify) there, or notify another node",
    });
  const { exitCode, stderr, isTimedOut } = await dependencies.runProcess({
    program,
    argv,
    env: buildChildEnv(dependencies.variable),
    timeoutMs: 10_000,
    maxOutputBytes: 4_000,
    signal: call.signal,
  });
  if (exitCode === 0) return { ok: true };
  throw new Fault(
    "unreachable",
    `NOTIFY_FAILED: ${isTimedOut ? "no answer from the desktop" : stderr.trim() || "no desktop"}`,
  );
}

function parseNotice(params: unknown): { title: string; body: string } {
  const { title, body } = isRecord(params) ? params : {};
  const clean = (value: unknown) =>
    typeof value === "string" ? value.replaceAll("\0", "").slice(0, maxNoticeLength).trim() : "";
  const notice = { title: clean(title), body: clean(body) };
  if (notice.title === "" && notice.body === "")
    throw new Fault("invalid_params", "title or body required", { field: "title" });
  return notice;
}

/** Texts are arguments, never part of a script (S35). */
function noticeArgv(
  platform: NodeJS.Platform,
  title: string,
  body: string,
): readonly [string, ...string[]] | undefined {
  if (platform === "linux") return ["notify-send", "--", title === "" ? body : title, ...(title === "" ? [] : [body])];
  if (platform !== "darwin") return undefined;
  const script = "display notification (item 2 of argv) with title (item 1 of argv)";
  return ["osascript", "-e", "on run argv", "-e", script, "-e", "end run", "--", title, body];
}
