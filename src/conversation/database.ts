// Opens the Gateway's database: this room's tables and those of the rooms above it.

import { openDatabase, type Database, type Migration } from "../platform/database.ts";
import { conversationMigrations } from "./store/schema.ts";

/** @throws Fault `storage` when the file cannot be opened or brought up to date. */
export function openGatewayDatabase(path: string, migrations: readonly Migration[] = []): Database {
  return openDatabase(path, [...conversationMigrations, ...migrations]);
}
