// usage.cost, sessions.usage: what models used, from what was recorded with each call. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { sessionKey } from "../session-shapes.ts";
import { count, nonEmpty, open, text, time } from "../shapes.ts";

const totals = {
  input: count("Input tokens"),
  output: count("Output tokens"),
  cacheRead: count("Input tokens read from the provider's cache"),
  cacheWrite: count("Input tokens written to the provider's cache"),
  totalTokens: count("All tokens"),
  totalCost: Type.Number({ minimum: 0, description: "Price in US dollars of the calls whose price is known" }),
  missingCostEntries: count("Calls whose price is not known: models without `cost` in models.providers"),
};
const day = (description: string) =>
  Type.String({ description: `${description}, YYYY-MM-DD in the Gateway's time zone` });
const dayParam = (description: string) =>
  Type.Optional(Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description: `${description}, YYYY-MM-DD` }));
const calls = count("Model calls");
const daily = Type.Array(Type.Object({ date: day("Day"), ...totals }), { description: "Days with use, oldest first" });
const sums = Type.Object(totals, { description: "All of them together" });

export const usageMethods = {
  "usage.cost": method({
    summary: "Tokens and cost of the last days",
    params: Type.Object({ days: Type.Optional(Type.Number({ description: "Default 30, at most 366" })) }),
    result: Type.Object({ updatedAt: time("When this was read"), days: count("Days covered"), daily, totals: sums }),
    scope: "operator.read",
  }),
  "sessions.usage": method({
    summary: "Tokens and cost by session, those with most tokens first",
    params: Type.Object({
      key: Type.Optional(sessionKey("Only this session")),
      agentId: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: "Only this agent" })),
      startDate: dayParam("First day; default 30 days ago"),
      endDate: dayParam("Last day; default today"),
      range: Type.Optional(
        Type.Union(
          [Type.Literal("7d"), Type.Literal("30d"), Type.Literal("90d"), Type.Literal("1y"), Type.Literal("all")],
          { description: "Instead of `startDate`" },
        ),
      ),
      limit: Type.Optional(Type.Integer({ minimum: 1, description: "Sessions; default 50, at most 1000" })),
    }),
    result: Type.Object(
      {
        updatedAt: time("When this was read"),
        startDate: day("First day"),
        endDate: day("Last day"),
        sessions: Type.Array(
          Type.Object(
            {
              key: nonEmpty("Session key"),
              agentId: nonEmpty("Agent"),
              label: Type.Optional(nonEmpty("Label")),
              sessionId: Type.Optional(nonEmpty("Session id; absent when the session is gone")),
              updatedAt: Type.Optional(time("Last activity")),
              usage: Type.Object({ calls, ...totals }),
            },
            open,
          ),
        ),
        totals: sums,
        aggregates: Type.Object(
          {
            byModel: Type.Array(
              Type.Object({
                provider: text("Provider"),
                model: text("Model"),
                count: calls,
                totals: Type.Object(totals),
              }),
            ),
            byAgent: Type.Array(Type.Object({ agentId: nonEmpty("Agent"), totals: Type.Object(totals) })),
            daily,
          },
          open,
        ),
      },
      open,
    ),
    scope: "operator.read",
  }),
};
