// Turns as clients of the protocol see them: wait for one, read how it ended.

import type { RunId } from "../base/ids.ts";
import { sleep, type Clock } from "../base/clock.ts";
import type { Database } from "../platform/database.ts";
import { hasOpenSends } from "./store/outbox.ts";
import { findTurn, type TurnRow } from "./store/turns.ts";
import type { Waiters } from "./waiters.ts";

export interface Runs {
  find(runId: string): Promise<TurnRow | undefined>;
  /**
   * The turn once it has ended. Undefined when `timeoutMs` passes first (0: no limit), `signal` aborts, or no such run exists.
   */
  waitForEnd(runId: RunId, timeoutMs: number, signal: AbortSignal): Promise<TurnRow | undefined>;
  /**
   * Resolves once the run has ended and what it says is sent or never will be; `timeoutMs` after its end at the latest, and at once
   * for a run that does not exist.
   */
  waitForReply(runId: RunId, timeoutMs: number, signal: AbortSignal): Promise<void>;
}

/** How often the outbox is looked at meanwhile. */
const lookMs = 50;

export function createRuns(dependencies: { database: Database; clock: Clock; waiters: Waiters }): Runs {
  const { database, clock, waiters } = dependencies;
  const find = (runId: string) => database.read((sql) => findTurn(sql, runId));
  const runs: Runs = {
    find,
    async waitForReply(runId, timeoutMs, signal) {
      await runs.waitForEnd(runId, 0, signal);
      const until = clock.monotonic() + timeoutMs;
      while (!signal.aborted && clock.monotonic() < until) {
        if (!(await database.read((sql) => hasOpenSends(sql, runId)))) return;
        await sleep(clock, lookMs, signal);
      }
    },
    async waitForEnd(runId, timeoutMs, signal) {
      const until = clock.monotonic() + timeoutMs;
      while (!signal.aborted) {
        // listen before looking, or an end between the two is missed
        const leftMs = timeoutMs === 0 ? 0 : Math.max(1, until - clock.monotonic());
        const stop = new AbortController();
        const rung = waiters.wait(runId, leftMs, AbortSignal.any([signal, stop.signal]));
        const turn = await find(runId);
        if (!turn || turn.endedAt !== undefined) {
          stop.abort();
          return turn;
        }
        await rung;
        if (timeoutMs > 0 && clock.monotonic() >= until) {
          const late = await find(runId);
          return late?.endedAt === undefined ? undefined : late;
        }
      }
      return undefined;
    },
  };
  return runs;
}
