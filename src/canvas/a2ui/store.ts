// What each session shows, so that a page which opens later, or after a restart, shows it too.

import type { SessionKey } from "../../base/ids.ts";
import { isRecord, parseJson } from "../../base/json.ts";
import type { Migration, Sql } from "../../platform/database.ts";
import type { SurfaceState, Surfaces } from "./surfaces.ts";

export const a2uiMigrations: readonly Migration[] = [
  {
    id: "a2ui-1",
    sql: `
      CREATE TABLE a2ui_boards (
        session_key TEXT PRIMARY KEY,
        version INTEGER NOT NULL,
        effect_key TEXT NOT NULL,
        surfaces TEXT NOT NULL,
        changed_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX a2ui_boards_age ON a2ui_boards (changed_at);
    `,
  },
];

/** Sessions of which something is kept; the one that was changed longest ago goes first. */
const maxBoards = 200;

export interface StoredBoard {
  /** Higher with every change; 0: nothing was ever pushed. */
  readonly version: number;
  /** Of the call that changed it last. */
  readonly effectKey: string;
  readonly surfaces: Surfaces;
}

export function findBoard(sql: Sql, sessionKey: SessionKey): StoredBoard {
  const row = sql.get("SELECT version, effect_key, surfaces FROM a2ui_boards WHERE session_key = ?", sessionKey);
  if (!row) return { version: 0, effectKey: "", surfaces: new Map() };
  return {
    version: Number(row["version"]),
    effectKey: String(row["effect_key"]),
    surfaces: parseSurfaces(String(row["surfaces"])),
  };
}

export function findVersion(sql: Sql, sessionKey: SessionKey): number {
  return Number(sql.get("SELECT version FROM a2ui_boards WHERE session_key = ?", sessionKey)?.["version"] ?? 0);
}

export function keepBoard(sql: Sql, sessionKey: SessionKey, { board, now }: { board: StoredBoard; now: number }): void {
  sql.run(
    `INSERT INTO a2ui_boards (session_key, version, effect_key, surfaces, changed_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (session_key) DO UPDATE SET version = excluded.version, effect_key = excluded.effect_key,
       surfaces = excluded.surfaces, changed_at = excluded.changed_at`,
    sessionKey,
    board.version,
    board.effectKey,
    JSON.stringify([...board.surfaces]),
    now,
  );
  sql.run(
    `DELETE FROM a2ui_boards WHERE session_key IN
       (SELECT session_key FROM a2ui_boards ORDER BY changed_at DESC, rowid DESC LIMIT -1 OFFSET ?)`,
    maxBoards,
  );
}

function parseSurfaces(text: string): Surfaces {
  const entries = parseJson(text);
  // written by keepBoard above
  return new Map(
    Array.isArray(entries) ? (entries as [string, SurfaceState][]).filter(([, state]) => isRecord(state)) : [],
  );
}
