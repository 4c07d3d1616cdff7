// What the Gateway itself says, where it answers, and what its files tell of its lives where it does not.

import { timelineFile } from "../../platform/paths.ts";
import { readOwner } from "../../platform/lock.ts";
import type { Collector } from "../../diagnostics/bundle.ts";
import { files } from "../../diagnostics/files.ts";
import type { TimelineFile } from "../../diagnostics/summary.ts";
import { readTimeline, type Timeline } from "../../diagnostics/timeline.ts";
import { withClient } from "../connection.ts";
import type { Context } from "../context.ts";
import { openMachine } from "../machine.ts";
import type { Scope } from "./scope.ts";

export function createGatewayCollectors(scope: Scope): readonly Collector[] {
  const { context, given, askMs } = scope;
  const asking = { scopes: ["operator.read"], timeoutMs: askMs, mode: "probe", target: given.target, isLooking: true };
  const timeline = once(() => lookAtTimeline(scope));
  return [
    {
      file: files.timeline,
      label: "timeline of the Gateway",
      async run() {
        const { lives, lines, damaged, ...state } = await timeline();
        const events = lines.filter(({ kind }) => kind !== "minute");
        return { value: { ...state, lives, damaged, events } satisfies TimelineFile };
      },
    },
    {
      file: files.minutes,
      label: "event loop and memory by the minute",
      run: async () => ({ lines: (await timeline()).lines.filter(({ kind }) => kind === "minute") }),
    },
    {
      file: files.health,
      label: "health of the running Gateway",
      run: async () => ({
        value: await withClient(context, asking, (client) => client.call("health", {}, { timeoutMs: askMs })),
      }),
    },
    {
      file: files.status,
      label: "status, as `status --all` has it",
      async run() {
        const [{ gatherStatus }, { diagnose }] = await Promise.all([
          import("../status/report.ts"),
          import("../status/diagnosis.ts"),
        ]);
        const [status, diagnosis] = await Promise.all([
          gatherStatus(context, given, { isDeep: false, isUsage: false, timeoutMs: askMs, isLooking: true }),
          diagnose(context, { loaded: given.loaded, target: given.target }),
        ]);
        // the log has a file of its own
        const { logTrouble: _trouble, ...rest } = diagnosis;
        return {
          value: { ...status, ...rest },
          leftOut: ["platforms were not asked: nothing leaves this machine for a bundle"],
        };
      },
    },
  ];
}

async function lookAtTimeline({
  context,
  hours,
}: Scope): Promise<Timeline & Pick<TimelineFile, "isRunning" | "silentMs">> {
  const { paths, clock } = context;
  const runningPid = await findRunning(context);
  const now = clock.now();
  const timeline = await readTimeline({ file: timelineFile(paths), since: now - hours * 3_600_000, runningPid });
  const last = timeline.lines.at(-1);
  const isRunning = runningPid !== undefined;
  return { ...timeline, isRunning, silentMs: isRunning && last ? Math.max(0, now - last.at) : null };
}

/** Who held the lock last, if it lives. */
async function findRunning(context: Context): Promise<number | undefined> {
  const owner = await readOwner(context.paths.lock).catch(() => undefined);
  return owner && (await openMachine(context).processes.isAlive(owner.pid)) ? owner.pid : undefined;
}

function once<T>(look: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => (found ??= look());
}
