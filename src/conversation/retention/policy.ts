// Which sessions go: pure, so that what is shown beforehand is what happens.

/** A session as far as it matters here. */
export interface Candidate {
  readonly key: string;
  readonly agentId: string;
  /** When it was used last; ms since the epoch. */
  readonly updatedAt: number;
}

export interface PrunePolicy {
  readonly now: number;
  /** Sessions that were not used for longer go. */
  readonly olderThanMs?: number | undefined;
  /** Of each agent, those used last stay, this many at most. */
  readonly keep?: number | undefined;
  /** Only sessions of this agent. */
  readonly agentId?: string | undefined;
  /** Main sessions, and those with work that is not done: they stay, whatever else is said. */
  readonly isProtected: (key: string) => boolean;
}

export type Going<One extends Candidate> = One & { readonly reason: "age" | "count" };

/** @returns those that go, the one that was used longest ago first. */
export function decideGoing<One extends Candidate>(sessions: readonly One[], policy: PrunePolicy): Going<One>[] {
  const { now, olderThanMs, keep, agentId, isProtected } = policy;
  const counted = new Map<string, number>();
  const going: Going<One>[] = [];
  for (const session of sessions.toSorted(byLastUse)) {
    if (agentId !== undefined && session.agentId !== agentId) continue;
    const count = (counted.get(session.agentId) ?? 0) + 1;
    counted.set(session.agentId, count);
    if (isProtected(session.key)) continue;
    if (olderThanMs !== undefined && session.updatedAt < now - olderThanMs) going.push({ ...session, reason: "age" });
    else if (keep !== undefined && count > keep) going.push({ ...session, reason: "count" });
  }
  return going.toReversed();
}

/** The one used last first; among equals in one order always. */
const byLastUse = (one: Candidate, other: Candidate) =>
  other.updatedAt - one.updatedAt || (one.key < other.key ? -1 : Number(one.key > other.key));
