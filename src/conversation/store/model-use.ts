// What models used, added up by day, session and model, so that a year of it is read in a moment. Outlives its sessions.

import type { SessionKey } from "../../base/ids.ts";
import type { Sql, SqlRow, SqlValue } from "../../platform/database.ts";
import type { Usage } from "../../ports/turn.ts";

export interface NewUse {
  /** YYYY-MM-DD. */
  readonly day: string;
  readonly sessionKey: SessionKey;
  readonly agentId: string;
  readonly provider: string;
  readonly model: string;
  readonly usage: Usage;
  /** US dollars; absent when the price is not known. */
  readonly cost?: number;
}

export function addUse(sql: Sql, use: NewUse): void {
  sql.run(
    `INSERT INTO model_use (day, session_key, agent_id, provider, model, calls, input, output, cache_read, cache_write, total, cost, unpriced)
     VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (day, session_key, provider, model) DO UPDATE SET calls = calls + 1, input = input + excluded.input,
       output = output + excluded.output, cache_read = cache_read + excluded.cache_read,
       cache_write = cache_write + excluded.cache_write, total = total + excluded.total, cost = cost + excluded.cost,
       unpriced = unpriced + excluded.unpriced`,
    use.day,
    use.sessionKey,
    use.agentId,
    use.provider,
    use.model,
    use.usage.input,
    use.usage.output,
    use.usage.cacheRead,
    use.usage.cacheWrite,
    use.usage.totalTokens,
    use.cost ?? 0,
    use.cost === undefined ? 1 : 0,
  );
}

export interface UseTotals {
  readonly calls: number;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly totalTokens: number;
  readonly totalCost: number;
  readonly missingCostEntries: number;
}

export interface UseFilter {
  readonly from: string;
  readonly to: string;
  readonly sessionKey?: string;
  readonly agentId?: string;
}

const sums = `coalesce(sum(calls), 0) AS calls, coalesce(sum(input), 0) AS input, coalesce(sum(output), 0) AS output,
  coalesce(sum(cache_read), 0) AS cache_read, coalesce(sum(cache_write), 0) AS cache_write,
  coalesce(sum(total), 0) AS total, coalesce(sum(cost), 0.0) AS cost, coalesce(sum(unpriced), 0) AS unpriced`;

function toTotals(row: SqlRow): UseTotals {
  return {
    calls: Number(row["calls"]),
    input: Number(row["input"]),
    output: Number(row["output"]),
    cacheRead: Number(row["cache_read"]),
    cacheWrite: Number(row["cache_write"]),
    totalTokens: Number(row["total"]),
    totalCost: Number(row["cost"]),
    missingCostEntries: Number(row["unpriced"]),
  };
}

function toWhere({ from, to, sessionKey, agentId }: UseFilter): { text: string; values: SqlValue[] } {
  return {
    text: `WHERE day >= ? AND day <= ?${sessionKey === undefined ? "" : " AND session_key = ?"}${agentId === undefined ? "" : " AND agent_id = ?"}`,
    values: [from, to, ...(sessionKey === undefined ? [] : [sessionKey]), ...(agentId === undefined ? [] : [agentId])],
  };
}

export function sumUse(sql: Sql, filter: UseFilter): UseTotals {
  const { text, values } = toWhere(filter);
  // an aggregate without groups always has its row
  return toTotals(sql.get(`SELECT ${sums} FROM model_use ${text}`, ...values) as SqlRow);
}

/** Days with use, oldest first. */
export function useByDay(sql: Sql, filter: UseFilter): { date: string; totals: UseTotals }[] {
  const { text, values } = toWhere(filter);
  return sql
    .all(`SELECT day, ${sums} FROM model_use ${text} GROUP BY day ORDER BY day`, ...values)
    .map((row) => ({ date: String(row["day"]), totals: toTotals(row) }));
}

export function useByModel(sql: Sql, filter: UseFilter): { provider: string; model: string; totals: UseTotals }[] {
  const { text, values } = toWhere(filter);
  return sql
    .all(
      `SELECT provider, model, ${sums} FROM model_use ${text} GROUP BY provider, model ORDER BY total DESC`,
      ...values,
    )
    .map((row) => ({ provider: String(row["provider"]), model: String(row["model"]), totals: toTotals(row) }));
}

export function useByAgent(sql: Sql, filter: UseFilter): { agentId: string; totals: UseTotals }[] {
  const { text, values } = toWhere(filter);
  return sql
    .all(`SELECT agent_id, ${sums} FROM model_use ${text} GROUP BY agent_id ORDER BY total DESC`, ...values)
    .map((row) => ({ agentId: String(row["agent_id"]), totals: toTotals(row) }));
}

/** Those with most tokens first. */
export function useBySession(
  sql: Sql,
  filter: UseFilter,
  limit: number,
): { key: string; agentId: string; totals: UseTotals }[] {
  const { text, values } = toWhere(filter);
  return sql
    .all(
      `SELECT session_key, agent_id, ${sums} FROM model_use ${text} GROUP BY session_key ORDER BY total DESC LIMIT ?`,
      ...values,
      limit,
    )
    .map((row) => ({ key: String(row["session_key"]), agentId: String(row["agent_id"]), totals: toTotals(row) }));
}

/** Removes what was used before `day`: one day's rows at a time, as days go by. @returns how many went. */
export function forgetUse(sql: Sql, day: string): number {
  return sql.run("DELETE FROM model_use WHERE day < ?", day).changes;
}
