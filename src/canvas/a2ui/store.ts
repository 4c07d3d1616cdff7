// What each session shows, so that a page which opens later, or after a restart, shows it too.

import type { SessionKey } from "../../base/ids.ts";
import { isRecord, parseJson } from "../../base/json.ts";
import type { SessionTable } from "../../conversation/retention/session-tables.ts";
import { findSession } from "../../conversation/store/sessions.ts";
import type { Migration, Sql, SqlRow } from "../../platform/database.ts";
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
  // of the conversation that it was pushed in; absent before a session's first turn
  { id: "a2ui-2", sql: "ALTER TABLE a2ui_boards ADD COLUMN session_id TEXT" },
];

/** Boards go with their sessions. */
export const boardTable: SessionTable = {
  forget: (sql, key) => void sql.run("DELETE FROM a2ui_boards WHERE session_key = ?", key),
};

/** Sessions of which something is kept; the one that was changed longest ago goes first. */
const maxBoards = 200;

export interface StoredBoard {
  /** Higher with every change; 0: nothing was ever pushed. */
  readonly version: number;
  /** Of the call that changed it last. */
  readonly effectKey: string;
  readonly surfaces: Surfaces;
}

/** Empty, and a version later, once the session was begun anew or deleted. */
export function findBoard(sql: Sql, sessionKey: SessionKey): StoredBoard {
  const row = sql.get(
    "SELECT version, effect_key, surfaces, session_id FROM a2ui_boards WHERE session_key = ?",
    sessionKey,
  );
  if (!row) return { version: 0, effectKey: "", surfaces: new Map() };
  const version = Number(row["version"]);
  if (isOver(sql, sessionKey, row)) return { version: version + 1, effectKey: "", surfaces: new Map() };
  return { version, effectKey: String(row["effect_key"]), surfaces: parseSurfaces(String(row["surfaces"])) };
}

/** The same as that of `findBoard`. */
export function findVersion(sql: Sql, sessionKey: SessionKey): number {
  const row = sql.get("SELECT version, session_id FROM a2ui_boards WHERE session_key = ?", sessionKey);
  return row ? Number(row["version"]) + (isOver(sql, sessionKey, row) ? 1 : 0) : 0;
}

function isOver(sql: Sql, sessionKey: SessionKey, { session_id: sessionId }: SqlRow): boolean {
  return sessionId !== null && sessionId !== findSession(sql, sessionKey)?.sessionId;
}

export function keepBoard(sql: Sql, sessionKey: SessionKey, { board, now }: { board: StoredBoard; now: number }): void {
  sql.run(
    `INSERT INTO a2ui_boards (session_key, version, effect_key, surfaces, changed_at, session_id) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (session_key) DO UPDATE SET version = excluded.version, effect_key = excluded.effect_key,
       surfaces = excluded.surfaces, changed_at = excluded.changed_at, session_id = excluded.session_id`,
    sessionKey,
    board.version,
    board.effectKey,
    JSON.stringify([...board.surfaces]),
    now,
    findSession(sql, sessionKey)?.sessionId ?? null,
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
