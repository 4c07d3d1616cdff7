// Opens the Gateway's database with every room's tables.

import { openDatabase, type Database } from "../platform/database.ts";
import { conversationMigrations } from "./store/schema.ts";

/** @throws Fault `storage` when the file cannot be opened or brought up to date. */
export function openGatewayDatabase(path: string): Database {
  return openDatabase(path, conversationMigrations);
}
