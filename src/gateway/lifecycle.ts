// How a Gateway stops: trip (d). Intake closes, turns get time to finish and their replies to go out, clients are told, services stop
// in reverse, and the database closes last. What does not finish in time stays in its row for the next start (R1).

import type { Clock } from "../base/clock.ts";
import { createDeadline } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";

export interface StopReason {
  /** For people and clients: `gateway stopping`, `gateway restarting`. */
  readonly reason: string;
  /** Absent when the Gateway is not expected back. */
  readonly restartExpectedMs?: number;
}

export interface Stages {
  closeIntake(): void;
  drain(deadline: AbortSignal): Promise<void>;
  /** Replies that can be sent now are. */
  deliver(deadline: AbortSignal): Promise<void>;
  announce(reason: StopReason): void;
  stopServices(deadline: AbortSignal): Promise<void>;
  closeDatabase(): Promise<void>;
}

/** Time for running turns to end; below the stop timeout of every supervisor (launchd: 20 s). */
export const drainBudgetMs = 10_000;
const deliverBudgetMs = 3_000;
const servicesBudgetMs = 5_000;

export interface StopOptions {
  /** Absent: `drainBudgetMs`. */
  readonly drainMs?: number;
  /** Once it aborts, turns and replies are not waited for. */
  readonly hurry?: AbortSignal;
}

/** Never throws: each stage is tried whatever became of the one before. */
export async function stopInOrder(
  stages: Stages,
  reason: StopReason,
  options: StopOptions & { clock: Clock; log: Log },
): Promise<void> {
  const { clock, log, hurry } = options;
  const attempt = async (name: string, task: () => void | Promise<void>) => {
    try {
      await task();
    } catch (error) {
      log.error(`stopping: ${name} failed`, { error });
    }
  };
  const within = async (budgetMs: number, task: (signal: AbortSignal) => Promise<void>, parent?: AbortSignal) => {
    const deadline = createDeadline(clock, budgetMs, parent);
    try {
      await task(deadline.signal);
    } finally {
      deadline.clear();
    }
  };

  await attempt("closing the intake", () => stages.closeIntake());
  await attempt("draining turns", () => within(options.drainMs ?? drainBudgetMs, stages.drain, hurry));
  await attempt("delivering replies", () => within(deliverBudgetMs, stages.deliver, hurry));
  await attempt("telling clients", () => stages.announce(reason));
  await attempt("stopping services", () => within(servicesBudgetMs, stages.stopServices));
  await attempt("closing the database", () => stages.closeDatabase());
}
