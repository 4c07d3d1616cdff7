// The tables of the database besides the conversation's: each list belongs to its room.

import { a2uiMigrations } from "../canvas/a2ui/store.ts";
import { hookMigrations } from "../hooks/store.ts";
import { nodeMigrations } from "../nodes/store/schema.ts";
import { responseMigrations } from "../openai-api/response-store.ts";
import type { Migration } from "../platform/database.ts";
import { deviceMigrations } from "./devices/schema.ts";
import { readinessMigrations } from "./readiness.ts";
import { restartMigrations } from "./restarts/schema.ts";

export const tables: readonly Migration[] = [
  ...deviceMigrations,
  ...nodeMigrations,
  ...responseMigrations,
  ...restartMigrations,
  ...hookMigrations,
  ...readinessMigrations,
  ...a2uiMigrations,
];
