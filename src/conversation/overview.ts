// Numbers about work and sessions for `health` and `status`.

import type { Clock } from "../base/clock.ts";
import type { Database } from "../platform/database.ts";
import { countDropped } from "./store/inbox.ts";
import { countOutbox, type OutboxCounts } from "./store/outbox.ts";
import { listSessions, type SessionRow } from "./store/sessions.ts";
import { countTurns } from "./store/turns.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** Open work now; what went wrong within the last 24 hours. */
export interface WorkOverview {
  readonly turns: { readonly queued: number; readonly running: number; readonly failed: number };
  readonly outbox: OutboxCounts;
  /** Messages that were not let in, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface Overview {
  work(): Promise<WorkOverview>;
  sessions(agentId: string, limit: number): Promise<{ count: number; recent: SessionRow[] }>;
}

export function createOverview(dependencies: { database: Database; clock: Clock }): Overview {
  const { database, clock } = dependencies;
  return {
    work: () =>
      database.read((sql) => {
        const since = clock.now() - dayMs;
        return { turns: countTurns(sql, since), outbox: countOutbox(sql, since), dropped: countDropped(sql, since) };
      }),
    sessions: (agentId, limit) => database.read((sql) => listSessions(sql, agentId, limit)),
  };
}
