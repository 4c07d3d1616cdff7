// The sessions of a Gateway that does not run: under its lock, so that none starts meanwhile.

import { existsSync } from "node:fs";

import { Fault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { readMaintenance } from "../../config/maintenance.ts";
import { openOwnDatabase } from "../../gateway/database.ts";
import { createPruning } from "../../conversation/retention/methods.ts";
import { createRetention } from "../../conversation/retention/retention.ts";
import { sessionTables } from "../../gateway/tables.ts";
import type { Database } from "../../platform/database.ts";
import { packDatabase, readSpace } from "../../platform/database-space.ts";
import { openLock, type Lock } from "../../platform/lock.ts";
import type { MethodParams, MethodResult } from "../../protocol/contract.ts";
import { readConfig } from "../connection.ts";
import type { Context } from "../context.ts";

/** @returns undefined while a Gateway runs on the state folder. */
export async function takeLock({ paths }: Context): Promise<Lock | undefined> {
  try {
    return await openLock(paths.lock);
  } catch (error) {
    if (error instanceof Fault && error.code === "already_running") return undefined;
    throw error;
  }
}

/** For who holds the lock. @throws Fault `not_found` when no Gateway has run here yet. */
export async function pruneOffline(
  context: Context,
  params: MethodParams<"sessions.prune">,
): Promise<MethodResult<"sessions.prune">> {
  const { paths, clock } = context;
  if (!existsSync(paths.database))
    throw new Fault("not_found", `no Gateway has run here yet (${paths.database} does not exist)`, {
      next: `start one with ${context.command("gateway")}`,
    });
  const { config } = await readConfig(context);
  const policy = () => readMaintenance(config);
  const database = await openOwnDatabase({ ...context, log: silentLog });
  try {
    const retention = createRetention({
      database,
      clock,
      log: silentLog,
      policy,
      tables: sessionTables,
      onRemoved: () => undefined,
      onForgotten: () => undefined,
    });
    const result = await createPruning({ retention, policy }).prune(params);
    if (!result.dryRun) await pack(context, database);
    return result;
  } finally {
    await database.close();
  }
}

const worthBytes = 1024 * 1024;

/** A file of an older version cannot shrink while a Gateway runs: now is the time. */
async function pack({ out }: Context, database: Database): Promise<void> {
  const { canShrink, freeBytes } = await database.read(readSpace);
  if (canShrink || freeBytes < worthBytes) return;
  try {
    await database.read(packDatabase);
  } catch (error) {
    // what was to go is gone; its room is used again, though not by others
    out.error(`note: the database keeps its size: ${error instanceof Error ? error.message : String(error)}`);
  }
}
