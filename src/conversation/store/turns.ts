// Work that was accepted. The attempt number fences: a write that carries an older attempt changes nothing.

import type { FaultCode } from "../../base/fault.ts";
import type { RunId, SessionKey } from "../../base/ids.ts";
import type { Sql, SqlRow } from "../../platform/database.ts";
import type { Usage } from "../../ports/turn.ts";

export type TurnState = "queued" | "running" | "ok" | "error" | "aborted";

/** What a finished turn leaves for whoever waits, now or after a restart. */
export interface TurnOutcome {
  /** Text of the reply; empty when the agent chose silence. */
  readonly text: string;
  readonly durationMs: number;
  readonly provider?: string;
  readonly model?: string;
  readonly usage?: Usage;
  readonly stopReason?: string;
  /** Calls that the client is asked to do. */
  readonly calls?: readonly FunctionCall[];
  readonly fault?: { readonly code: FaultCode; readonly message: string };
}

export interface FunctionCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface TurnRow {
  readonly runId: RunId;
  readonly inboxId: number;
  readonly sessionKey: SessionKey;
  readonly sessionId: string | undefined;
  readonly attempt: number;
  readonly state: TurnState;
  readonly acceptedAt: number;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly outcome: TurnOutcome | undefined;
}

/** Names one attempt of one turn. */
export interface Fence {
  readonly runId: RunId;
  readonly attempt: number;
}

function toTurn(row: SqlRow): TurnRow {
  const optional = (value: SqlRow[string] | undefined) =>
    value === null || value === undefined ? undefined : Number(value);
  return {
    // ids were parsed before they were stored; the state column has a CHECK; the outcome was written by finishTurn
    runId: row["run_id"] as RunId,
    inboxId: Number(row["inbox_id"]),
    sessionKey: row["session_key"] as SessionKey,
    sessionId: (row["session_id"] ?? undefined) as string | undefined,
    attempt: Number(row["attempt"]),
    state: row["state"] as TurnState,
    acceptedAt: Number(row["accepted_at"]),
    startedAt: optional(row["started_at"]),
    endedAt: optional(row["ended_at"]),
    outcome: row["outcome"] === null ? undefined : (JSON.parse(String(row["outcome"])) as TurnOutcome),
  };
}

export function insertTurn(
  sql: Sql,
  turn: { runId: RunId; inboxId: number; sessionKey: SessionKey; acceptedAt: number },
): void {
  sql.run(
    "INSERT INTO turns (run_id, inbox_id, session_key, state, accepted_at) VALUES (?, ?, ?, 'queued', ?)",
    turn.runId,
    turn.inboxId,
    turn.sessionKey,
    turn.acceptedAt,
  );
}

export function findTurn(sql: Sql, runId: string): TurnRow | undefined {
  const row = sql.get("SELECT * FROM turns WHERE run_id = ?", runId);
  return row && toTurn(row);
}

/**
 * Takes the session's oldest unfinished turn and starts its next attempt. A turn found `running` was cut off by a crash.
 */
export function claimTurn(sql: Sql, sessionKey: SessionKey, now: number): TurnRow | undefined {
  const row = sql.get(
    `SELECT run_id FROM turns WHERE session_key = ? AND state IN ('queued', 'running') ORDER BY inbox_id LIMIT 1`,
    sessionKey,
  );
  if (!row) return undefined;
  sql.run(
    "UPDATE turns SET state = 'running', attempt = attempt + 1, started_at = coalesce(started_at, ?) WHERE run_id = ?",
    now,
    row["run_id"] ?? null,
  );
  return findTurn(sql, String(row["run_id"]));
}

export function bindSession(sql: Sql, runId: RunId, sessionId: string): void {
  sql.run("UPDATE turns SET session_id = ? WHERE run_id = ?", sessionId, runId);
}

/** True while this attempt still owns its turn. */
export function isCurrent(sql: Sql, fence: Fence): boolean {
  return (
    sql.get(
      "SELECT 1 FROM turns WHERE run_id = ? AND attempt = ? AND state = 'running'",
      fence.runId,
      fence.attempt,
    ) !== undefined
  );
}

/** @returns false, having changed nothing, when a newer attempt owns the turn or it has ended. */
export function finishTurn(
  sql: Sql,
  fence: Fence,
  end: { state: "ok" | "error" | "aborted"; at: number; outcome: TurnOutcome },
): boolean {
  const { changes } = sql.run(
    "UPDATE turns SET state = ?, ended_at = ?, outcome = ? WHERE run_id = ? AND attempt = ? AND state = 'running'",
    end.state,
    end.at,
    JSON.stringify(end.outcome),
    fence.runId,
    fence.attempt,
  );
  return changes === 1;
}

/** Ends the turns of a session, or the one named, that have not begun. @returns their run ids. */
export function abortQueued(sql: Sql, which: { sessionKey: SessionKey; runId?: RunId }, now: number): RunId[] {
  const outcome: TurnOutcome = {
    text: "",
    durationMs: 0,
    fault: { code: "aborted", message: "stopped before it began" },
  };
  const condition = "session_key = ? AND state = 'queued' AND (? IS NULL OR run_id = ?)";
  const only = which.runId ?? null;
  const rows = sql.all(`SELECT run_id FROM turns WHERE ${condition} ORDER BY inbox_id`, which.sessionKey, only, only);
  sql.run(
    `UPDATE turns SET state = 'aborted', ended_at = ?, outcome = ? WHERE ${condition}`,
    now,
    JSON.stringify(outcome),
    which.sessionKey,
    only,
    only,
  );
  // stored by insertTurn
  return rows.map((row) => row["run_id"] as RunId);
}

/** The session's turns that have not ended, in order. */
export function openTurns(sql: Sql, sessionKey: SessionKey): { runId: RunId; state: TurnState }[] {
  return sql
    .all(
      "SELECT run_id, state FROM turns WHERE session_key = ? AND state IN ('queued', 'running') ORDER BY inbox_id",
      sessionKey,
    )
    .map((row) => ({ runId: row["run_id"] as RunId, state: row["state"] as TurnState })); // as in toTurn
}

/** Sessions with unfinished turns, those with the oldest first. */
export function sessionsWithWork(sql: Sql): SessionKey[] {
  const rows = sql.all(
    "SELECT session_key FROM turns WHERE state IN ('queued', 'running') GROUP BY session_key ORDER BY min(inbox_id)",
  );
  return rows.map((row) => row["session_key"] as SessionKey);
}

/** Open turns, and turns that ended in an error since `sinceMs`. */
export function countTurns(sql: Sql, sinceMs: number): { queued: number; running: number; failed: number } {
  const open = sql.all("SELECT state, count(*) AS n FROM turns WHERE state IN ('queued', 'running') GROUP BY state");
  const count = (state: TurnState) => Number(open.find((row) => row["state"] === state)?.["n"] ?? 0);
  const failed = sql.get("SELECT count(*) AS n FROM turns WHERE state = 'error' AND ended_at >= ?", sinceMs);
  return { queued: count("queued"), running: count("running"), failed: Number(failed?.["n"] ?? 0) };
}
