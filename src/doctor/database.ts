// The Gateway's database for what doctor brings in and takes out again. SQLite keeps it and a running Gateway apart.

import { openGatewayDatabase } from "../conversation/database.ts";
import { createImport, type Import } from "../conversation/import.ts";
import { lookIntoDatabase } from "../platform/database-check.ts";
import type { Scene } from "./scene.ts";

/** Made when there is none. @throws Fault `storage` when it cannot be opened. */
export async function withImport<T>(
  { paths, version, command }: Pick<Scene, "paths" | "version" | "command">,
  task: (imports: Import) => Promise<T>,
): Promise<T> {
  const database = await openGatewayDatabase(paths.database, { version, command });
  try {
    return await task(createImport(database));
  } finally {
    await database.close();
  }
}

/** Changes nothing. @returns undefined when there is no database, or it has no such tables yet. */
export async function lookAtImport<T>(path: string, task: (imports: Import) => Promise<T>): Promise<T | undefined> {
  let database: ReturnType<typeof lookIntoDatabase> | undefined;
  try {
    database = lookIntoDatabase(path);
    return await task(createImport(database));
  } catch (error) {
    // SQLite's own: no such file, no such table. A damaged file is another check's finding
    if (error instanceof Error && "errcode" in error) return undefined;
    throw error;
  } finally {
    await database?.close();
  }
}
