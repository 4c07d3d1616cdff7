// Forgets what nobody needs any more, a little at a time: rows of work that is done, what was archived long ago, and sessions where the
// config says so. Conversations that are in use stay, whatever happens.

import type { Clock, Timer } from "../../base/clock.ts";
import type { SessionKey } from "../../base/ids.ts";
import type { Log } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { Database, Sql } from "../../platform/database.ts";
import { dayOf } from "../sessions/usage.ts";
import { forgetArchived } from "../store/archives.ts";
import { forgetUse } from "../store/model-use.ts";
import { forgetFinished } from "../store/old-rows.ts";
import { planPrune, type PruneAsked, type PrunePlan } from "./plan.ts";
import { carryOut, giveBack, type Pruned } from "./prune.ts";
import type { SessionTable } from "./session-tables.ts";
import { inSlices } from "./slices.ts";

export const dayMs = 24 * 60 * 60 * 1000;
const keepUseMs = 800 * dayMs;
const everyMs = 10 * 60 * 1000;
const firstMs = 60 * 1000;
/** Answers to repeated requests, and events against repeats, are promised for this long. */
const leastFinishedMs = dayMs;

export interface RetentionPolicy {
  /** False: sessions and what was archived stay, whatever their age. */
  readonly isEnforced: boolean;
  /** How long rows of finished work stay; a day at least. */
  readonly finishedMs: number;
  /** How long archived parts of transcripts stay; undefined: for ever. */
  readonly archivesMs: number | undefined;
  /** Which sessions go by themselves; none when both are undefined. */
  readonly sessions: Pick<PruneAsked, "olderThanMs" | "keep">;
}

/** Telegram redelivers for 24 h at most; idempotency answers are promised for 24 h. */
export const defaultRetention: RetentionPolicy = {
  isEnforced: true,
  finishedMs: 7 * dayMs,
  archivesMs: 30 * dayMs,
  sessions: {},
};

export type ForgottenKind = "rows" | "archives" | "sessions";

export interface Retention extends Service {
  plan(asked: PruneAsked): Promise<PrunePlan>;
  carryOut(plan: PrunePlan): Promise<Pruned>;
  /**
   * Takes about so many bytes out of the database, the oldest first: of what was archived, or of the rows of work that was done more
   * than a day ago. @returns how many messages or rows went, and about how many bytes.
   */
  forget(kind: "archives" | "rows", bytes: number): Promise<{ count: number; bytes: number }>;
}

export interface RetentionDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly policy: () => RetentionPolicy;
  readonly tables: readonly SessionTable[];
  readonly onRemoved: (key: SessionKey) => void;
  /** For the figures. */
  readonly onForgotten: (kind: ForgottenKind, count: number) => void;
}

/** One step at everything that is too old. @returns how many rows went. */
export function forgetOldRows(sql: Sql, now: number, policy: RetentionPolicy = defaultRetention): number {
  const { isEnforced, finishedMs, archivesMs } = policy;
  const archives = isEnforced && archivesMs !== undefined ? now - archivesMs : 1;
  return (
    forgetArchived(sql, archives).rows +
    forgetUse(sql, dayOf(now - keepUseMs)) +
    forgetFinished(sql, now - Math.max(leastFinishedMs, finishedMs)).rows
  );
}

export function createRetention(dependencies: RetentionDependencies): Retention {
  const { clock, log, policy, onForgotten } = dependencies;
  let timer: Timer | undefined;
  let isStopped = false;

  const carry = async (plan: PrunePlan) => {
    const pruned = await carryOut(dependencies, plan);
    onForgotten("sessions", pruned.sessions);
    onForgotten("archives", pruned.archives);
    if (pruned.sessions + pruned.archives > 0) log.info("sessions removed", { ...pruned });
    return pruned;
  };
  const pruneByPolicy = async () => {
    const { isEnforced, sessions } = policy();
    if (!isEnforced || (sessions.olderThanMs === undefined && sessions.keep === undefined)) return;
    const plan = await planPrune(dependencies, sessions);
    if (plan.sessions.length > 0) await carry(plan);
  };
  const run = async () => {
    try {
      const removed = await inSlices(dependencies, (sql) =>
        isStopped ? 0 : forgetOldRows(sql, clock.now(), policy()),
      );
      if (removed > 0) {
        onForgotten("rows", removed);
        log.debug("old rows removed", { removed });
      }
      await pruneByPolicy();
      if (!isStopped) await giveBack(dependencies);
    } catch (error) {
      if (!isStopped) log.warn("cannot remove old rows", { error });
    }
    if (!isStopped) timer = clock.after(everyMs, () => void run());
  };

  return {
    name: "retention",
    async start() {
      isStopped = false;
      timer = clock.after(firstMs, () => void run());
    },
    async stop() {
      isStopped = true;
      timer?.cancel();
    },
    plan: (asked) => planPrune(dependencies, asked),
    carryOut: carry,
    async forget(kind, bytes) {
      let freed = 0;
      const before = clock.now() - leastFinishedMs;
      const step = (sql: Sql) => {
        const forgotten =
          kind === "archives" ? forgetArchived(sql, Number.MAX_SAFE_INTEGER) : forgetFinished(sql, before);
        freed += forgotten.bytes;
        return forgotten.rows;
      };
      const count = await inSlices(dependencies, step, () => freed >= bytes);
      onForgotten(kind, count);
      await giveBack(dependencies);
      return { count, bytes: freed };
    },
  };
}
