// `sessions.prune`: looks first; what was shown is what goes, or nothing does.

import { Fault } from "../../base/fault.ts";
import type { HandlersOf } from "../../ports/method.ts";
import type { MethodParams, MethodResult } from "../../protocol/contract.ts";
import type { PruneAsked, PrunePlan } from "./plan.ts";
import { dayMs, type Retention, type RetentionPolicy } from "./retention.ts";

const defaultDays = 30;
const maxShown = 1_000;

export interface PruneMethodDependencies {
  readonly retention: Pick<Retention, "plan" | "carryOut">;
  readonly policy: () => Pick<RetentionPolicy, "sessions">;
}

type Params = MethodParams<"sessions.prune">;

export function createPruning({ retention, policy }: PruneMethodDependencies) {
  // two at once would have planned the same sessions
  let last: Promise<unknown> = Promise.resolve();
  const prune = async (params: Params): Promise<MethodResult<"sessions.prune">> => {
    const plan = await retention.plan(toAsked(params, policy()));
    if (params.dryRun === true) return render(plan, { dryRun: true });
    if (params.plan !== undefined && params.plan !== plan.id)
      throw new Fault("invalid_params", "something else would go by now; nothing was removed", {
        field: "plan",
        next: "look again with dryRun",
      });
    const { sessions, archives, messages, bytes, skipped } = await retention.carryOut(plan);
    return { ...render(plan, { dryRun: false }), sessionCount: sessions, archives, messages, bytes, skipped };
  };
  const inTurn = (params: Params) => {
    const mine = last.then(() => prune(params));
    last = mine.catch(() => undefined);
    return mine;
  };
  return {
    /** @throws Fault `invalid_params` when something else would go than what was planned. */
    prune: inTurn,
    handlers: { "sessions.prune": ({ params }) => inTurn(params) } satisfies HandlersOf<"sessions.prune">,
  };
}

function toAsked(
  { olderThanDays, keep, agentId }: Params,
  { sessions }: Pick<RetentionPolicy, "sessions">,
): PruneAsked {
  const agent = agentId?.trim().toLowerCase();
  if (olderThanDays !== undefined || keep !== undefined)
    return { olderThanMs: olderThanDays === undefined ? undefined : olderThanDays * dayMs, keep, agentId: agent };
  const isSet = sessions.olderThanMs !== undefined || sessions.keep !== undefined;
  return { ...(isSet ? sessions : { olderThanMs: defaultDays * dayMs }), agentId: agent };
}

function render(plan: PrunePlan, { dryRun }: { dryRun: boolean }): MethodResult<"sessions.prune"> {
  return {
    ok: true,
    dryRun,
    plan: plan.id,
    sessions: plan.sessions.slice(0, maxShown).map(({ key, agentId, updatedAt, reason, messages, bytes }) => ({
      key,
      agentId,
      updatedAt,
      reason,
      messages,
      bytes,
    })),
    sessionCount: plan.sessions.length,
    archives: plan.archives.length,
    messages: plan.messages,
    bytes: plan.bytes,
    kept: plan.kept,
    skipped: 0,
  };
}
