// The Gateway's database for commands that work without it running. SQLite keeps two processes apart.

import { existsSync } from "node:fs";

import { Fault } from "../../base/fault.ts";
import { openGatewayDatabase } from "../../conversation/database.ts";
import type { Database } from "../../platform/database.ts";
import type { Context } from "../context.ts";

/** @throws Fault `not_found` when no Gateway has run here yet. */
export async function withDatabase<T>(context: Context, task: (database: Database) => Promise<T>): Promise<T> {
  const { version, command, paths } = context;
  const { database: path } = paths;
  if (!existsSync(path)) {
    throw new Fault("not_found", `no Gateway has run here yet (${path} does not exist)`, {
      next: `start one with ${command("gateway")}`,
    });
  }
  const database = await openGatewayDatabase(path, { version, command });
  try {
    return await task(database);
  } finally {
    await database.close();
  }
}
