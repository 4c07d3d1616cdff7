// Opens the Gateway's database: this room's tables and those of the rooms above it.

import { openKeptDatabase, type Database, type Migration, type Opener } from "../platform/database.ts";
import { conversationMigrations } from "./store/schema.ts";

/** @throws Fault `storage` when the file cannot be opened or brought up to date. */
export function openGatewayDatabase(
  path: string,
  opener: Opener,
  migrations: readonly Migration[] = [],
): Promise<Database> {
  return openKeptDatabase(path, [...conversationMigrations, ...migrations], opener);
}
