// What would go, exactly: sessions, parts of transcripts that were archived, how many messages and bytes. It reads no message whole.

import { createHash } from "node:crypto";

import { createPace, type Pace } from "../../base/pace.ts";
import type { Clock } from "../../base/clock.ts";
import type { Database } from "../../platform/database.ts";
import { agentOf, mainKey } from "../route.ts";
import { listArchives, type Archive } from "../store/archives.ts";
import { findOpenWork, listStored, measureMessages, type StoredSession } from "../store/pruning.ts";
import { decideGoing, type Going } from "./policy.ts";
import type { SessionTable } from "./session-tables.ts";

export interface PruneAsked {
  /** Sessions that were not used for longer, and what was archived longer ago. */
  readonly olderThanMs?: number | undefined;
  /** Sessions to keep of each agent. */
  readonly keep?: number | undefined;
  readonly agentId?: string | undefined;
}

export interface PlannedSession extends Going<StoredSession> {
  readonly messages: number;
  readonly bytes: number;
}

export interface PrunePlan {
  /** The same for the same things: who has seen it can say so. */
  readonly id: string;
  /** The one used longest ago first. */
  readonly sessions: readonly PlannedSession[];
  readonly archives: readonly Archive[];
  /** Of sessions and archives together. */
  readonly messages: number;
  readonly bytes: number;
  /** Sessions that stay. */
  readonly kept: number;
}

export interface PlanDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly tables: readonly SessionTable[];
}

export async function planPrune(dependencies: PlanDependencies, asked: PruneAsked): Promise<PrunePlan> {
  const { database, clock, tables } = dependencies;
  const pace = createPace(clock);
  const all = await readSessions(database, pace);
  const { open, waiting } = await database.read((sql) => ({
    open: findOpenWork(sql),
    waiting: new Set(tables.flatMap((table) => table.waiting?.(sql) ?? [])),
  }));
  const conversations = new Map(all.map(({ key, conversation }) => [key as string, conversation]));
  const isProtected = (key: string) =>
    isMain(key) || open.sessions.has(key) || waiting.has(key) || open.conversations.has(conversations.get(key) ?? "");
  const now = clock.now();
  const going = decideGoing(all, { ...asked, now, isProtected });
  const keys = new Set(going.map(({ key }) => key));
  const before = asked.olderThanMs === undefined ? 0 : now - asked.olderThanMs;
  const archives = (await readArchives(database, pace)).filter(
    ({ sessionKey, archivedAt }) =>
      keys.has(sessionKey) ||
      // one that is due goes anyway
      (archivedAt > 0 &&
        archivedAt < before &&
        (asked.agentId === undefined || agentOf(sessionKey, "") === asked.agentId)),
  );
  return measure(database, pace, { going, archives, kept: all.length - going.length });
}

/** Of whatever agent, and the one that all share. */
const isMain = (key: string) =>
  key === "global" || (key.startsWith("agent:") && key.split(":").slice(2).join(":") === mainKey);

async function readSessions(database: Database, pace: Pace): Promise<StoredSession[]> {
  const all: StoredSession[] = [];
  for (;;) {
    const page = await database.read((sql) => listStored(sql, all.at(-1)));
    if (page.length === 0) return all;
    all.push(...page);
    await pace.rest();
  }
}

async function readArchives(database: Database, pace: Pace): Promise<Archive[]> {
  const all: Archive[] = [];
  for (;;) {
    const page = await database.read((sql) => listArchives(sql, Number.MAX_SAFE_INTEGER, all.at(-1)));
    if (page.length === 0) return all;
    all.push(...page);
    await pace.rest();
  }
}

async function measure(
  database: Database,
  pace: Pace,
  { going, archives, kept }: { going: readonly Going<StoredSession>[]; archives: readonly Archive[]; kept: number },
): Promise<PrunePlan> {
  const sessions: PlannedSession[] = [];
  for (const session of going)
    sessions.push({ ...session, ...(await sizeOf(database, pace, { ...session, belowId: Number.MAX_SAFE_INTEGER })) });
  const sizes: { messages: number; bytes: number }[] = [...sessions];
  // two archives may be of one transcript: the one that reaches further holds the other
  const whole = new Set(sessions.map(({ sessionId }) => sessionId));
  const furthest = new Map<string, number>();
  for (const { sessionId, belowId } of archives)
    if (!whole.has(sessionId)) furthest.set(sessionId, Math.max(belowId, furthest.get(sessionId) ?? 0));
  for (const [sessionId, belowId] of furthest) sizes.push(await sizeOf(database, pace, { sessionId, belowId }));
  const hash = createHash("sha256");
  for (const { key, sessionId, updatedAt } of sessions) hash.update(JSON.stringify([key, sessionId, updatedAt]));
  for (const { id } of archives) hash.update(`${id},`);
  return {
    id: hash.digest("base64url").slice(0, 22),
    sessions,
    archives,
    messages: sizes.reduce((sum, { messages }) => sum + messages, 0),
    bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
    kept,
  };
}

async function sizeOf(
  database: Database,
  pace: Pace,
  { sessionId, belowId: below }: Pick<Archive, "sessionId" | "belowId">,
) {
  let [messages, bytes, after] = [0, 0, 0];
  for (;;) {
    const from = after;
    const part = await database.read((sql) => measureMessages(sql, sessionId, { after: from, below }));
    messages += part.messages;
    bytes += part.bytes;
    await pace.rest();
    if (part.lastId === undefined) return { messages, bytes };
    after = part.lastId;
  }
}
