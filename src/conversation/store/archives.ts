// Parts of transcripts that no session shows any more: after a reset, a deletion or a compaction. Noted in one row, whatever
// their length; retention removes the messages in pieces.

import type { SessionKey } from "../../base/ids.ts";
import type { Sql, SqlRow } from "../../platform/database.ts";

export interface NewArchive {
  readonly sessionId: string;
  readonly sessionKey: SessionKey;
  /** Entries below this one; absent: the whole transcript. */
  readonly belowId?: number;
  readonly reason: "reset" | "deleted" | "compacted" | "pruned";
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

export interface Archive {
  readonly id: number;
  readonly sessionId: string;
  readonly sessionKey: SessionKey;
  /** Entries below this one. */
  readonly belowId: number;
  /** No session has any part of the transcript. */
  readonly isWhole: boolean;
  readonly archivedAt: number;
}

function toArchive(row: SqlRow): Archive {
  const below = row["below_id"];
  return {
    id: Number(row["id"]),
    sessionId: String(row["session_id"]),
    // parsed before it was stored
    sessionKey: row["session_key"] as SessionKey,
    belowId: below === null ? Number.MAX_SAFE_INTEGER : Number(below),
    isWhole: below === null,
    archivedAt: Number(row["archived_at"]),
  };
}

/** Those that were made before `time`, oldest first, behind `after`; at most 500. */
export function listArchives(sql: Sql, time: number, after?: Archive): Archive[] {
  return sql
    .all(
      "SELECT * FROM archives WHERE archived_at < ? AND (archived_at, id) > (?, ?) ORDER BY archived_at, id LIMIT 500",
      time,
      after?.archivedAt ?? -1,
      after?.id ?? -1,
    )
    .map(toArchive);
}

/** They are due from now on. */
export function expireArchive(sql: Sql, id: number): void {
  sql.run("UPDATE archives SET archived_at = 0 WHERE id = ?", id);
}

/** Of one step: a large message lies on pages of its own, each of which is touched. */
const maxRows = 64;
const maxBytes = 256 * 1024;

export interface Forgotten {
  /** 0: nothing was left to do. */
  readonly rows: number;
  readonly bytes: number;
}

/** One step at the oldest archive that was made before `time`; the archive itself goes when nothing of it is left. */
export function forgetArchived(sql: Sql, time: number): Forgotten {
  const [archive] = sql.all("SELECT * FROM archives WHERE archived_at < ? ORDER BY archived_at, id LIMIT 1", time);
  if (!archive) return { rows: 0, bytes: 0 };
  const { id, sessionId, belowId, isWhole } = toArchive(archive);
  const said = forgetMessages(sql, sessionId, belowId);
  if (said.rows > 0) return said;
  const emptied = isWhole ? emptyRuns(sql, sessionId) : 0;
  if (emptied > 0) return { rows: emptied, bytes: 0 };
  return { rows: sql.run("DELETE FROM archives WHERE id = ?", id).changes, bytes: 0 };
}

function forgetMessages(sql: Sql, sessionId: string, belowId: number): Forgotten {
  const rows = sql.all(
    "SELECT id, octet_length(message) + octet_length(preview) AS bytes FROM transcript WHERE session_id = ? AND id < ? ORDER BY id LIMIT ?",
    sessionId,
    belowId,
    maxRows,
  );
  let bytes = 0;
  let last: number | undefined;
  for (const row of rows) {
    if (last !== undefined && bytes + Number(row["bytes"]) > maxBytes) break;
    bytes += Number(row["bytes"]);
    last = Number(row["id"]);
  }
  if (last === undefined) return { rows: 0, bytes: 0 };
  const { changes } = sql.run("DELETE FROM transcript WHERE session_id = ? AND id <= ?", sessionId, last);
  return { rows: changes, bytes };
}

const noWords = JSON.stringify({ text: "", durationMs: 0 });

/** Turns, events and sends are kept against repeats for a while: without what was said. */
function emptyRuns(sql: Sql, sessionId: string): number {
  const runs = sql.all(
    "SELECT run_id, inbox_id FROM turns WHERE session_id = ? AND ended_at IS NOT NULL AND outcome <> ? LIMIT ?",
    sessionId,
    noWords,
    maxRows,
  );
  for (const { run_id: runId = null, inbox_id: inboxId = null } of runs) {
    sql.run("UPDATE turns SET outcome = ? WHERE run_id = ?", noWords, runId);
    sql.run("UPDATE inbox SET message = '{}' WHERE id = ?", inboxId);
    sql.run(
      "UPDATE outbox SET payload = ? WHERE run_id = ? AND finished_at IS NOT NULL",
      JSON.stringify({ text: "" }),
      runId,
    );
    sql.run("DELETE FROM system_events WHERE run_id = ?", runId);
  }
  return runs.length;
}
