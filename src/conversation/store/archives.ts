// Parts of transcripts that no session shows any more: after a reset, a deletion or a compaction. Noted in one row, whatever
// their length; retention removes the messages in pieces.

import type { SessionKey } from "../../base/ids.ts";
import type { Sql } from "../../platform/database.ts";

export interface NewArchive {
  readonly sessionId: string;
  readonly sessionKey: SessionKey;
  /** Entries below this one; absent: the whole transcript. */
  readonly belowId?: number;
  readonly reason: "reset" | "deleted" | "compacted";
  readonly now: number;
}

export function insertArchive(sql: Sql, archive: NewArchive): void {
  sql.run(
    "INSERT INTO archives (session_id, session_key, below_id, reason, archived_at) VALUES (?, ?, ?, ?, ?)",
    archive.sessionId,
    archive.sessionKey,
    archive.belowId ?? null,
    archive.reason,
    archive.now,
  );
}

/** Removes at most `limit` messages of the oldest archive made before `time`. @returns how many rows went. */
export function forgetArchived(sql: Sql, time: number, limit: number): number {
  const archive = sql.get("SELECT * FROM archives WHERE archived_at < ? ORDER BY archived_at LIMIT 1", time);
  if (!archive) return 0;
  const { changes } = sql.run(
    "DELETE FROM transcript WHERE id IN (SELECT id FROM transcript WHERE session_id = ? AND id < ? ORDER BY id LIMIT ?)",
    String(archive["session_id"]),
    archive["below_id"] === null ? Number.MAX_SAFE_INTEGER : Number(archive["below_id"]),
    limit,
  );
  if (changes >= limit) return changes;
  return changes + sql.run("DELETE FROM archives WHERE id = ?", Number(archive["id"])).changes;
}
