// `usage.cost` and `sessions.usage`: sums of what was recorded with each model call.

import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { Database, Sql } from "../../platform/database.ts";
import type { HandlersOf } from "../../ports/method.ts";
import type { MethodParams } from "../../protocol/contract.ts";
import { findSession } from "../store/sessions.ts";
import {
  sumUse,
  useByAgent,
  useByDay,
  useByModel,
  useBySession,
  type UseFilter,
  type UseTotals,
} from "../store/model-use.ts";

const dayMs = 24 * 60 * 60 * 1000;
const ranges = { "7d": 7, "30d": 30, "90d": 90, "1y": 365, all: 36_500 } as const;
const defaultDays = 30;

/** The day of a time in the Gateway's time zone, YYYY-MM-DD. */
export function dayOf(ms: number): string {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export function createUsageHandlers(dependencies: {
  readonly database: Database;
  readonly clock: Clock;
  readonly widen: (key: string) => string;
}): HandlersOf<"usage.cost" | "sessions.usage"> {
  const { database, clock, widen } = dependencies;
  return {
    async "usage.cost"({ params }) {
      const now = clock.now();
      const days = Math.min(366, Math.max(1, Math.floor(params.days ?? defaultDays)));
      const filter = { from: dayOf(now - (days - 1) * dayMs), to: dayOf(now) };
      return database.read((sql) => ({
        updatedAt: now,
        days,
        daily: daily(sql, filter),
        totals: withoutCalls(sumUse(sql, filter)),
      }));
    },

    async "sessions.usage"({ params }) {
      const now = clock.now();
      const { from, to } = decideDays(params, now);
      const filter: UseFilter = {
        from,
        to,
        ...(params.key === undefined ? {} : { sessionKey: widen(params.key) }),
        ...(params.agentId === undefined ? {} : { agentId: params.agentId.trim().toLowerCase() }),
      };
      return database.read((sql) => ({
        updatedAt: now,
        startDate: from,
        endDate: to,
        sessions: useBySession(sql, filter, Math.min(1_000, params.limit ?? 50)).map(({ key, agentId, totals }) => {
          const session = findSession(sql, key);
          return {
            key,
            agentId,
            ...(session?.label ? { label: session.label } : {}),
            ...(session ? { sessionId: session.sessionId, updatedAt: session.updatedAt } : {}),
            usage: totals,
          };
        }),
        totals: withoutCalls(sumUse(sql, filter)),
        aggregates: {
          byModel: useByModel(sql, filter).map(({ provider, model, totals }) => ({
            provider,
            model,
            count: totals.calls,
            totals: withoutCalls(totals),
          })),
          byAgent: useByAgent(sql, filter).map(({ agentId, totals }) => ({ agentId, totals: withoutCalls(totals) })),
          daily: daily(sql, filter),
        },
      }));
    },
  };
}

function daily(sql: Sql, filter: UseFilter) {
  return useByDay(sql, filter).map(({ date, totals }) => ({ date, ...withoutCalls(totals) }));
}

/** What the protocol calls totals. */
function withoutCalls(totals: UseTotals): Omit<UseTotals, "calls"> {
  const { input, output, cacheRead, cacheWrite, totalTokens, totalCost, missingCostEntries } = totals;
  return { input, output, cacheRead, cacheWrite, totalTokens, totalCost, missingCostEntries };
}

function decideDays(params: MethodParams<"sessions.usage">, now: number): { from: string; to: string } {
  const to = params.endDate ?? dayOf(now);
  const days = ranges[params.range ?? "30d"];
  // noon keeps a day of 23 or 25 hours from moving the date
  const from = params.startDate ?? dayOf(new Date(`${to}T12:00:00`).getTime() - (days - 1) * dayMs);
  if (from.includes("NaN") || from > to) {
    throw new Fault("invalid_params", "startDate and endDate are not days in that order", {
      field: params.startDate === undefined ? "endDate" : "startDate",
      next: "write both as YYYY-MM-DD, the earlier one first",
    });
  }
  return { from, to };
}
