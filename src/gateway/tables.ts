// The tables of the database besides the conversation's: each list belongs to its room.

import { a2uiMigrations, boardTable } from "../canvas/a2ui/store.ts";
import { hookMigrations, hookRunTable } from "../hooks/store.ts";
import type { SessionTable } from "../conversation/retention/session-tables.ts";
import { nodeMigrations } from "../nodes/store/schema.ts";
import { responseMigrations, responseTable } from "../openai-api/response-store.ts";
import type { Migration } from "../platform/database.ts";
import { deviceMigrations } from "./devices/schema.ts";
import { readinessMigrations } from "./readiness.ts";
import { restartMigrations, restartTable } from "./restarts/schema.ts";

export const tables: readonly Migration[] = [
  ...deviceMigrations,
  ...nodeMigrations,
  ...responseMigrations,
  ...restartMigrations,
  ...hookMigrations,
  ...readinessMigrations,
  ...a2uiMigrations,
];

/** Those of them that know sessions. */
export const sessionTables: readonly SessionTable[] = [boardTable, responseTable, hookRunTable, restartTable];
