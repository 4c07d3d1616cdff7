// A restart that a session asked for: kept as a row, done once the reply of the run that asks has gone out, and told to the session
// when the Gateway is back (R15).

import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";

import { sleep, type Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { Ids, RunId, SessionKey } from "../../base/ids.ts";
import type { Log } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { AskRestart, Asker, RestartAnswer, RestartRequest } from "../../config/take-up.ts";
import type { WriteNotice } from "../../conversation/notices.ts";
import { mainKeyOf, widenSessionKey, type RoutePolicy } from "../../conversation/route.ts";
import type { Runs } from "../../conversation/runs.ts";
import { findSession } from "../../conversation/store/sessions.ts";
import { openTurns } from "../../conversation/store/turns.ts";
import type { Database, Sql } from "../../platform/database.ts";
import { readTextIfExists } from "../../platform/files.ts";
import type { DeliveryTarget } from "../../ports/message.ts";
import { parseSentinel, renderForAgent, renderSentinel, shorten, type Sentinel } from "./sentinel.ts";
import { findIntent, forgetTold, insertIntent, markTold, untoldIntents, type Intent } from "./store.ts";

export interface Restarts extends Service {
  /** A session that is none is the main one. @throws Fault `unreachable` when nobody can start this Gateway anew but a person. */
  ask(request: RestartRequest): Promise<RestartAnswer>;
}

export interface RestartsDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Absent: a person has to. */
  readonly restart: AskRestart | undefined;
  readonly runs: Pick<Runs, "waitForReply">;
  readonly writeNotice: WriteNotice;
  readonly routePolicy: () => RoutePolicy;
  /** How a chat is written for its channel. @throws Fault for one that cannot be understood. */
  readonly parseTarget: (channel: string, to: string, account: string | undefined) => DeliveryTarget;
  /** Where older programs kept what they had to say. */
  readonly oldFile: string;
}

/** A reply whose channel does not take it holds up the restart for so long, from the end of its run on. */
const replyBudgetMs = 30_000;
const keepMs = 7 * 24 * 60 * 60 * 1000;

export function createRestarts(dependencies: RestartsDependencies): Restarts {
  const { database, clock, ids, log, restart, runs } = dependencies;
  let life = new AbortController();

  const replied = async ({ runId }: Intent, signal: AbortSignal) => {
    if (runId !== undefined) await runs.waitForReply(runId, replyBudgetMs, signal);
  };
  const follow = async (intent: Intent, signal: AbortSignal) => {
    await replied(intent, signal);
    await sleep(clock, Math.max(0, intent.dueAt - clock.now()), signal);
    if (!signal.aborted) await restart?.({ reason: reasonOf(intent.payload), delayMs: 0 });
  };
  const tell = async (intent: Intent, signal: AbortSignal) => {
    await replied(intent, signal);
    if (signal.aborted) return;
    const { effectKey, sessionKey, payload } = intent;
    const target = targetOf(payload, dependencies);
    const finish = await database.write((sql) => {
      if (!markTold(sql, effectKey, clock.now())) return undefined;
      return dependencies.writeNotice(sql, {
        sessionKey,
        effectKey: `restart:${effectKey}`,
        text: renderSentinel(payload),
        event: renderForAgent(payload),
        ...(target ? { target } : {}),
      });
    });
    finish?.();
  };
  const inBackground = (name: string, task: Promise<void>) => {
    task.catch((error: unknown) => log.error(`${name} failed`, { error }));
  };

  return {
    name: "restarts",
    async start() {
      life = new AbortController();
      const { signal } = life;
      await adoptFile(dependencies);
      const intents = await database.write((sql) => {
        forgetTold(sql, clock.now() - keepMs);
        return untoldIntents(sql);
      });
      for (const intent of intents) inBackground("telling of a restart", tell(intent, signal));
    },
    async stop() {
      life.abort();
    },
    async ask({ reason, delayMs, asker }) {
      if (!restart) {
        throw new Fault("unreachable", "this Gateway cannot start itself anew", { next: "stop it and start it again" });
      }
      if (!asker) return restart({ reason, delayMs });
      const sessionKey = sessionOf(asker, dependencies.routePolicy());
      const effectKey = asker.effectKey ?? ids.uuid();
      const now = clock.now();
      const { intent, isNew } = await database.write((sql) => {
        const runId = asker.runId ?? runningIn(sql, sessionKey);
        const known = findIntent(sql, effectKey, asker.runId);
        if (known) return { intent: known, isNew: false };
        const payload = toSentinel(sql, { asker, sessionKey, reason, now });
        const made: Intent = { effectKey, sessionKey, runId, dueAt: now + delayMs, payload };
        return { intent: made, isNew: insertIntent(sql, made, now) };
      });
      if (isNew) inBackground("a restart that was asked for", follow(intent, life.signal));
      return {
        ok: true,
        pid: process.pid,
        delayMs: Math.max(0, intent.dueAt - now),
        reason: reasonOf(intent.payload),
        sentinel: { ...intent.payload },
      };
    },
  };
}

const reasonOf = ({ stats, kind }: Sentinel) => stats?.reason ?? kind;

interface Asking {
  readonly asker: Asker;
  readonly sessionKey: SessionKey;
  readonly reason: string;
  readonly now: number;
}

function toSentinel(sql: Sql, { asker, sessionKey, reason, now }: Asking): Sentinel {
  const route = findSession(sql, sessionKey)?.lastRoute;
  return {
    kind: asker.kind,
    status: "ok",
    ts: now,
    sessionKey,
    ...(route ? { deliveryContext: { channel: route.channel, to: route.chatId, accountId: route.account } } : {}),
    ...(route?.threadId ? { threadId: route.threadId } : {}),
    ...(asker.note ? { message: asker.note } : {}),
    stats: { mode: asker.kind === "restart" ? "gateway.restart" : "config", reason: shorten(reason) },
  };
}

/** A program that asks for its session asks from within the session's run. */
function runningIn(sql: Sql, sessionKey: SessionKey): RunId | undefined {
  return openTurns(sql, sessionKey).find(({ state }) => state === "running")?.runId;
}

function targetOf(
  { deliveryContext: context, threadId }: Sentinel,
  { parseTarget, log }: Pick<RestartsDependencies, "parseTarget" | "log">,
): DeliveryTarget | undefined {
  if (!context?.channel || !context.to) return undefined;
  try {
    const target = parseTarget(context.channel, context.to, context.accountId);
    return threadId ? { ...target, threadId } : target;
  } catch (error) {
    // the channel may have gone from the config: the session is told all the same
    if (!(error instanceof Fault)) throw error;
    log.warn("a restart cannot be told where it was asked for", { error });
    return undefined;
  }
}

/** The file becomes a row before it goes: read twice it is one row all the same. */
async function adoptFile({ database, clock, log, oldFile, routePolicy }: RestartsDependencies): Promise<void> {
  const text = await readTextIfExists(oldFile);
  if (text === undefined) return;
  const payload = parseSentinel(text);
  if (payload) {
    const now = clock.now();
    const effectKey = `file:${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
    const sessionKey = sessionOf(payload, routePolicy());
    await database.write((sql) =>
      insertIntent(sql, { effectKey, sessionKey, runId: undefined, dueAt: now, payload }, now),
    );
  } else log.warn(`${oldFile} says nothing that can be told, and is removed`);
  await rm(oldFile, { force: true });
}

function sessionOf({ sessionKey }: { readonly sessionKey?: string }, policy: RoutePolicy): SessionKey {
  try {
    return widenSessionKey(sessionKey ?? "", policy);
  } catch (error) {
    if (error instanceof Fault) return mainKeyOf(policy);
    throw error;
  }
}
