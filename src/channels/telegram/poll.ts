// Long polling. Trip (a) begins here: getUpdates -> receive -> submit -> commit, and only then does the offset move: asking for
// the next updates is what tells Telegram to forget these (R3). A poll that hangs is noticed (R4); no trouble leaves this file.

import { createRunner, createSource, type RunnerHandle } from "@grammyjs/runner";
import type { Api } from "grammy/web";
import type { Update } from "grammy/types";

import { backoffMs } from "../../base/backoff.ts";
import { sleep, type Clock } from "../../base/clock.ts";
import { createDeadline } from "../../base/deadline.ts";
import { Fault } from "../../base/fault.ts";
import { isRecord } from "../../base/json.ts";
import type { Log } from "../../base/log.ts";
import type { Submit } from "../../ports/message.ts";
import { notAnApiAnswer, toFailure, type Failure } from "./failure.ts";
import type { Me } from "./receive.ts";
import type { StatusBoard } from "./status.ts";
import { isShuttingDown, takeUp } from "./take-up.ts";
import type { PollTiming } from "./timing.ts";

export interface PollOptions {
  /** Asked before every call, for the token may be another one by then. */
  readonly connection: () => { readonly api: Api; readonly tokenSource: string };
  /** Looks for a token other than the one that was refused; true if `connection` has changed. Must not throw. */
  readonly renewToken: () => Promise<boolean>;
  readonly account: string;
  readonly submit: Submit;
  readonly status: StatusBoard;
  readonly clock: Clock;
  readonly log: Log;
  readonly timing: PollTiming;
}

export interface Poll {
  /** Resolves when nothing is submitted any more. */
  stop(): Promise<void>;
}

const batchSize = 100;
/** Source of the week in which ids stay in order: https://core.telegram.org/bots/api#update */
const offsetLifeMs = 24 * 3_600_000;

export function startPoll(options: PollOptions): Poll {
  const { status } = options;
  const stopping = new AbortController();
  const loop = createLoop(options, stopping.signal);

  const source = createSource<Update>({ supply: () => loop.next() });
  const runner: RunnerHandle = createRunner(source, {
    // the next poll waits until every update of this batch is committed
    handle: async (updates) => {
      await loop.submitAll(updates);
      return batchSize;
    },
    size: () => 0,
    snapshot: () => [],
  });
  runner.start();
  status.running(true);

  return {
    async stop() {
      stopping.abort();
      await runner.stop();
      await loop.idle();
      status.running(false);
    },
  };
}

function createLoop(options: PollOptions, stopping: AbortSignal) {
  const { connection, clock, log, status, timing } = options;
  let me: Me | undefined;
  let isPrepared = false;
  /** A poll was answered since the last trouble. */
  let isProven = false;
  /** Ahead of all that was committed; undefined: whatever Telegram still has. */
  let offset: number | undefined;
  let lastUpdateAt = clock.monotonic();
  let failures = 0;
  let submitting: Promise<void> = Promise.resolve();

  const call = async <T>(limitMs: number, task: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const deadline = createDeadline(clock, limitMs, stopping);
    try {
      return await task(deadline.signal);
    } catch (error) {
      if (deadline.isExpired())
        throw new Fault("timeout", `no answer from Telegram within ${Math.round(limitMs / 1000)} s`);
      throw error;
    } finally {
      deadline.clear();
    }
  };
  // grammY asks for an abort signal of its own making; any signal works
  const asSignal = (signal: AbortSignal) => signal as unknown as Parameters<Api["getMe"]>[0];

  const prepare = async () => {
    const { api } = connection();
    const user = await call(timing.graceMs, (signal) => api.getMe(asSignal(signal)));
    me = { id: user.id, username: user.username };
    status.identified(me);
    await call(timing.graceMs, (signal) => api.deleteWebhook({ drop_pending_updates: false }, asSignal(signal)));
    isPrepared = true;
  };

  const poll = async (): Promise<Update[]> => {
    if (!isPrepared) await prepare();
    // at first, and after trouble, the answer must come at once: until it does, nobody knows whether receiving works (R35)
    const seconds = isProven ? timing.pollSeconds : 0;
    const begunAt = clock.monotonic();
    const answer: unknown = await call(seconds * 1000 + timing.graceMs, (signal) =>
      connection().api.getUpdates(
        {
          ...(offset === undefined ? {} : { offset }),
          limit: batchSize,
          timeout: seconds,
          allowed_updates: ["message"],
        },
        asSignal(signal),
      ),
    );
    const updates = toUpdates(answer);
    status.polled();
    const wasWaitedFor = clock.monotonic() - begunAt >= Math.min(timing.minEmptyPollMs, seconds * 1000);
    if (isProven) failures = 0;
    isProven = true;
    if (updates.length > 0) {
      lastUpdateAt = clock.monotonic();
      return updates;
    }
    // after a week without updates their ids begin anew, perhaps below this offset, which would hide them; all is confirmed by now
    if (clock.monotonic() - lastUpdateAt > offsetLifeMs) offset = undefined;
    if (!wasWaitedFor) await sleep(clock, timing.minEmptyPollMs, stopping);
    return updates;
  };

  const rest = async (error: unknown) => {
    failures += 1;
    const failure: Failure =
      error instanceof Fault ? { kind: "network", isSent: true, reason: error.message } : toFailure(error);
    // a poll that works may take long to say so: ask again whether the account does
    if (failure.kind === "network" || failure.kind === "server" || isWebhookSet(failure)) isPrepared = false;
    isProven = false;
    const { tokenSource } = connection();
    const { reason, next, waitMs } = explain(failure, { tokenSource, timing, failures });
    status.trouble(reason, next);
    await (failure.kind === "token" ? waitForToken() : sleep(clock, waitMs, stopping));
  };

  const waitForToken = async () => {
    const until = clock.monotonic() + timing.tokenRetryMs;
    while (!stopping.aborted && clock.monotonic() < until) {
      await sleep(clock, Math.min(timing.tokenLookMs, timing.tokenRetryMs), stopping);
      if (await options.renewToken()) break;
    }
    // another token may be another bot
    isPrepared = false;
  };

  const submit = async (updates: readonly Update[]) => {
    try {
      offset = (await takeUp(updates, { ...options, backoff: timing.backoff, me, stopping })) ?? offset;
    } catch (error) {
      if (!isShuttingDown(error)) log.error("taking up updates broke", { error });
    }
  };

  return {
    /** The next updates; empty after trouble, which it has waited out. Never rejects. */
    async next(): Promise<Update[]> {
      try {
        return stopping.aborted ? [] : await poll();
      } catch (error) {
        if (!stopping.aborted) await rest(error);
        return [];
      }
    },
    async submitAll(updates: readonly Update[]): Promise<void> {
      submitting = submit(updates);
      await submitting;
    },
    idle: () => submitting,
  };
}

/** @throws if it is no list of updates. Single entries that are none are passed over. */
function toUpdates(answer: unknown): Update[] {
  if (!Array.isArray(answer)) throw notAnApiAnswer(200);
  const list: readonly unknown[] = answer;
  // what an update holds beyond its id is looked at by `receive`, which trusts nothing
  const updates = list.filter((item) => isRecord(item) && Number.isSafeInteger(item["update_id"])) as Update[];
  if (updates.length === 0 && list.length > 0) throw notAnApiAnswer(200);
  return updates;
}

/** The other kind of conflict: updates go to an address that somebody has set since we started. */
function isWebhookSet(failure: Failure): boolean {
  return failure.kind === "conflict" && /webhook/iu.test(failure.reason);
}

interface Circumstances {
  readonly tokenSource: string;
  readonly timing: PollTiming;
  readonly failures: number;
}

function explain(
  failure: Failure,
  { tokenSource, timing, failures }: Circumstances,
): { reason: string; next?: string; waitMs: number } {
  const waitMs = backoffMs(timing.backoff, failures);
  switch (failure.kind) {
    case "busy":
      return { reason: `Telegram asks to slow down: ${failure.reason}`, waitMs: Math.max(failure.afterMs, waitMs) };
    case "token":
      return {
        reason: `Telegram refuses the bot token from ${tokenSource} (${failure.reason})`,
        // a saved config counts at once; a file of its own and the environment are read at the start
        next: `get the token from @BotFather and correct ${tokenSource}${tokenSource.endsWith(".botToken") ? "" : ", then restart"}`,
        waitMs: timing.tokenRetryMs,
      };
    case "conflict":
      return {
        reason: isWebhookSet(failure)
          ? "another program has set a webhook for this bot token"
          : "another program polls with this bot token",
        next: "stop the other program, or give this Gateway a bot of its own",
        waitMs: Math.max(waitMs, timing.backoff.initialMs * 2),
      };
    case "refused":
    case "server":
      return { reason: `Telegram answered with an error: ${failure.reason}`, waitMs };
    case "network":
      return { reason: `Telegram cannot be reached: ${failure.reason}`, waitMs };
  }
}
