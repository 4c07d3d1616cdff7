// One turn at a time in a session, in order of arrival; several sessions side by side. The rows are the queue: a lane holds
// nothing that a crash could lose, and is refilled from unfinished rows at start (R1, R17).

import type { RunId, SessionKey } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import { createSemaphore } from "../base/semaphore.ts";
import type { Clock } from "../base/clock.ts";
import { sleep } from "../base/clock.ts";
import type { Service } from "../base/service.ts";
import type { Database } from "../platform/database.ts";
import type { Opened, TurnPerformer } from "./turn.ts";
import { abortQueued, claimTurn, sessionsWithWork, type TurnRow } from "./store/turns.ts";

export type AbortReason = "rpc" | "stop" | "shutdown" | "superseded";

export interface LaneDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly performer: TurnPerformer;
  /** Turns at the same time, over all sessions. */
  readonly maxConcurrent: () => number;
  /** A turn came to its end, or was ended before it began. */
  readonly onEnded: (runId: RunId) => void;
  /** A waiting turn was ended before it began; `onEnded` follows. */
  readonly onDropped: (runId: RunId, sessionKey: SessionKey, reason: AbortReason) => void;
}

export interface Lane extends Service {
  /** The session has new work, already committed. */
  wake(sessionKey: SessionKey): void;
  /** Stops the session's running turn and ends what waits in it. @returns the runs concerned. */
  abortAll(sessionKey: SessionKey, reason: AbortReason): Promise<RunId[]>;
  /** The same for one run, running or waiting; empty when it has ended or is unknown. */
  abortRun(sessionKey: SessionKey, runId: RunId, reason: AbortReason): Promise<RunId[]>;
  /** Resolves once no turn runs and none is taken up any more, or when `deadline` aborts. */
  drain(deadline: AbortSignal): Promise<void>;
}

interface Running {
  readonly runId: RunId;
  readonly controller: AbortController;
}

interface Claimed {
  readonly turn: TurnRow;
  readonly opened: Opened;
}

export function createLane(dependencies: LaneDependencies): Lane {
  const { database, clock, log, performer } = dependencies;
  const places = createSemaphore(dependencies.maxConcurrent);
  const workers = new Map<SessionKey, Promise<void>>();
  const woken = new Set<SessionKey>();
  const running = new Map<SessionKey, Running>();
  let isOpen = false;

  const dropWaiting = async (which: { sessionKey: SessionKey; runId?: RunId }, reason: AbortReason) => {
    const waiting = await database.write((sql) => abortQueued(sql, which, clock.now()));
    for (const runId of waiting) {
      dependencies.onDropped(runId, which.sessionKey, reason);
      dependencies.onEnded(runId);
    }
    return waiting;
  };

  const runOne = async ({ turn, opened }: Claimed) => {
    const controller = new AbortController();
    running.set(turn.sessionKey, { runId: turn.runId, controller });
    try {
      await performer.perform(turn, opened, controller.signal);
    } catch (error) {
      // perform settles every expected failure itself: this is a bug or a broken disk, and the row is still unfinished
      log.error("turn broke", { runId: turn.runId, error });
      await sleep(clock, 1_000, controller.signal);
    } finally {
      running.delete(turn.sessionKey);
      dependencies.onEnded(turn.runId);
    }
  };

  const takeOne = async (sessionKey: SessionKey): Promise<boolean> => {
    const release = await places.acquire();
    try {
      if (!isOpen) return false;
      const claimed = await database.write((sql) => {
        const turn = claimTurn(sql, sessionKey, clock.now());
        return turn && { turn, opened: performer.open(sql, turn) };
      });
      if (!claimed) return false;
      await runOne(claimed);
      return true;
    } catch (error) {
      log.error("cannot take up the next turn; trying again", { sessionKey, error });
      await sleep(clock, 1_000);
      return true;
    } finally {
      release();
    }
  };

  const work = async (sessionKey: SessionKey) => {
    do {
      woken.delete(sessionKey);
      while (isOpen && (await takeOne(sessionKey)));
    } while (isOpen && woken.has(sessionKey));
    workers.delete(sessionKey);
  };

  const wake = (sessionKey: SessionKey) => {
    if (!isOpen) return;
    woken.add(sessionKey);
    if (!workers.has(sessionKey)) workers.set(sessionKey, work(sessionKey));
  };

  const drain = async (deadline: AbortSignal) => {
    isOpen = false;
    const idle = Promise.all(workers.values());
    const late = new Promise<void>((resolve) => {
      if (deadline.aborted) resolve();
      deadline.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([idle, late]);
  };

  return {
    name: "lane",
    wake,
    async start() {
      isOpen = true;
      const sessions = await database.read(sessionsWithWork);
      if (sessions.length > 0) log.info("resuming unfinished turns", { sessions: sessions.length });
      for (const sessionKey of sessions) wake(sessionKey);
    },
    drain,
    async stop(deadline) {
      isOpen = false;
      for (const turn of running.values()) turn.controller.abort("shutdown");
      await drain(deadline);
    },
    async abortRun(sessionKey, runId, reason) {
      const current = running.get(sessionKey);
      if (current?.runId === runId) {
        current.controller.abort(reason);
        return [runId];
      }
      return dropWaiting({ sessionKey, runId }, reason);
    },
    async abortAll(sessionKey, reason) {
      const waiting = await dropWaiting({ sessionKey }, reason);
      const current = running.get(sessionKey);
      current?.controller.abort(reason);
      return current ? [current.runId, ...waiting] : waiting;
    },
  };
}
