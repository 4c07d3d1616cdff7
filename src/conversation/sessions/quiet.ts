// A change that no run of the session may see half done: its run is stopped first, and waited for.

import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { SessionKey } from "../../base/ids.ts";
import type { Database, Sql } from "../../platform/database.ts";
import type { Lane } from "../lane.ts";
import type { Runs } from "../runs.ts";
import { openTurns } from "../store/turns.ts";

/** How long a session's run may take to stop. */
const quietWithinMs = 15_000;
/** How often a run is told to stop while it is waited for. */
const askAgainMs = 500;

export interface QuietDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly lane: Pick<Lane, "abortAll" | "abortRun">;
  readonly runs: Pick<Runs, "waitForEnd">;
}

export interface Quiet {
  readonly key: SessionKey;
  /** Messages that wait are answered afterwards; else they are dropped. */
  readonly isQueueKept: boolean;
  readonly signal: AbortSignal;
}

/**
 * Makes the change once no run of the session is under way, in the same transaction that saw so.
 * @throws Fault `timeout` when a run does not stop in time; nothing was changed then.
 */
export type WhenQuiet = <T>(quiet: Quiet, change: (sql: Sql) => T) => Promise<T>;

export function createWhenQuiet({ database, clock, lane, runs }: QuietDependencies): WhenQuiet {
  return async ({ key, isQueueKept, signal }, change) => {
    const until = clock.monotonic() + quietWithinMs;
    for (;;) {
      const outcome = await database.write((sql) => {
        const [busy] = openTurns(sql, key).filter((turn) => turn.state === "running" || !isQueueKept);
        return busy ? { isDone: false as const, busy } : { isDone: true as const, value: change(sql) };
      });
      if (outcome.isDone) return outcome.value;

      const leftMs = until - clock.monotonic();
      if (leftMs <= 0 || signal.aborted) {
        throw new Fault("timeout", `Session ${key} is still active; try again in a moment.`, { retryAfterMs: 5_000 });
      }
      const { runId } = outcome.busy;
      if (isQueueKept) await lane.abortRun(key, runId, "rpc");
      else await lane.abortAll(key, "rpc");
      await runs.waitForEnd(runId, Math.min(leftMs, askAgainMs), signal);
    }
  };
}
