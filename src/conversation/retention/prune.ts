// Carries a plan out: each session is gone from all tables in one commit, what is left of long ones goes piece by piece, and the room
// is given back. Killed in between, the rest goes at the next start.

import type { SessionKey } from "../../base/ids.ts";
import { giveBackPages, readSpace, writeBack } from "../../platform/database-space.ts";
import { expireArchive, forgetArchived } from "../store/archives.ts";
import { removeStored } from "../store/pruning.ts";
import type { PlanDependencies, PlannedSession, PrunePlan } from "./plan.ts";
import { inSlices } from "./slices.ts";

export interface PruneDependencies extends PlanDependencies {
  /** After its commit. */
  readonly onRemoved: (key: SessionKey) => void;
}

export interface Pruned {
  readonly sessions: number;
  readonly archives: number;
  readonly messages: number;
  readonly bytes: number;
  /** Sessions that were used meanwhile, and stay. */
  readonly skipped: number;
}

export async function carryOut(dependencies: PruneDependencies, plan: PrunePlan): Promise<Pruned> {
  const archives = Map.groupBy(plan.archives, ({ sessionKey }) => sessionKey);
  const waiting = [...plan.sessions].toReversed();
  const gone: PlannedSession[] = [];
  const missed: PlannedSession[] = [];
  await inSlices(dependencies, (sql) => {
    const session = waiting.pop();
    if (!session) return 0;
    if (!removeStored(sql, session)) {
      missed.push(session);
      archives.delete(session.key);
      return 1;
    }
    for (const table of dependencies.tables) table.forget(sql, session.key);
    for (const { id } of archives.get(session.key) ?? []) expireArchive(sql, id);
    // a short one is gone whole with this commit
    for (let times = 0; times < 4; times += 1) forgetArchived(sql, 1);
    gone.push(session);
    return 1;
  });
  for (const { key } of gone) dependencies.onRemoved(key);

  const left = [...archives.values()].flat();
  let index = 0;
  await inSlices(dependencies, (sql) => {
    const archive = left[index];
    if (!archive) return 0;
    expireArchive(sql, archive.id);
    index += 1;
    return 1;
  });
  await inSlices(dependencies, (sql) => forgetArchived(sql, 1).rows);
  await giveBack(dependencies);
  return {
    sessions: gone.length,
    archives: left.length,
    messages: plan.messages - missed.reduce((sum, { messages }) => sum + messages, 0),
    bytes: plan.bytes - missed.reduce((sum, { bytes }) => sum + bytes, 0),
    skipped: missed.length,
  };
}

type Slicing = Parameters<typeof inSlices>[0];

/** Less than this stays for what comes next. */
const sparePages = 256;

/** Gives room in the database's file back to the disk, where the file can shrink. */
export async function giveBack(slicing: Slicing): Promise<void> {
  const { database } = slicing;
  const { freeBytes, canShrink } = await database.read(readSpace);
  if (!canShrink || freeBytes < sparePages * 4096) return;
  await inSlices(slicing, giveBackPages);
  await database.read(writeBack);
}
