// Long polling. Trip (a) begins here: getUpdates -> receive -> submit -> commit, and only then does the offset move: asking for
// the next updates is what tells Telegram to forget these (R3). A poll that hangs is noticed (R4); no trouble leaves this file.

import { createRunner, createSource, type RunnerHandle } from "@grammyjs/runner";
import type { Api } from "grammy/web";
import type { Update } from "grammy/types";

import { backoffMs, type BackoffPolicy } from "../../base/backoff.ts";
import { sleep, type Clock } from "../../base/clock.ts";
import { createDeadline } from "../../base/deadline.ts";
import { Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { Submit } from "../../ports/message.ts";
import { scrub, toFailure, type Failure } from "./failure.ts";
import { toInbound, type Me } from "./receive.ts";
import type { StatusBoard } from "./status.ts";

export interface PollTiming {
  /** How long Telegram holds a poll open, seconds. */
  readonly pollSeconds: number;
  /** Beyond that, until the poll counts as hung. */
  readonly graceMs: number;
  readonly backoff: BackoffPolicy;
  /** Between tries with a token that was refused. */
  readonly tokenRetryMs: number;
}

export const defaultTiming: PollTiming = {
  pollSeconds: 30,
  graceMs: 15_000,
  backoff: { initialMs: 1_000, maxMs: 30_000, factor: 1.8, jitter: 0.25 },
  tokenRetryMs: 5 * 60_000,
};

export interface PollOptions {
  readonly api: Api;
  readonly account: string;
  readonly tokenSource: string;
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
  const { api, clock, log, status, timing } = options;
  let me: Me | undefined;
  let isPrepared = false;
  /** The first update not yet committed; undefined: whatever Telegram still has. */
  let offset: number | undefined;
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
    const user = await call(timing.graceMs, (signal) => api.getMe(asSignal(signal)));
    me = { id: user.id, username: user.username };
    status.identified(me);
    await call(timing.graceMs, (signal) => api.deleteWebhook({ drop_pending_updates: false }, asSignal(signal)));
    isPrepared = true;
    // the first poll may be held open for half a minute: sending works from here on
    status.reached();
  };

  const poll = async (): Promise<Update[]> => {
    if (!isPrepared) await prepare();
    const updates = await call(timing.pollSeconds * 1000 + timing.graceMs, (signal) =>
      api.getUpdates(
        {
          ...(offset === undefined ? {} : { offset }),
          limit: batchSize,
          timeout: timing.pollSeconds,
          allowed_updates: ["message"],
        },
        asSignal(signal),
      ),
    );
    status.polled();
    failures = 0;
    return updates;
  };

  const rest = async (error: unknown) => {
    failures += 1;
    const failure: Failure =
      error instanceof Fault ? { kind: "network", isSent: true, reason: error.message } : toFailure(error);
    // a poll that works may take long to say so: ask again whether the account does
    if (failure.kind === "network" || failure.kind === "server") isPrepared = false;
    const { reason, next, waitMs } = explain(failure, { tokenSource: options.tokenSource, timing, failures });
    status.trouble(reason, next);
    await sleep(clock, waitMs, stopping);
  };

  const submitOne = async (update: Update): Promise<void> => {
    const inbound = toInbound(update, { account: options.account, me });
    if (!inbound) return;
    for (let attempt = 1; !stopping.aborted; attempt += 1) {
      try {
        await options.submit(inbound);
        status.received();
        return;
      } catch (error) {
        // not stored: Telegram keeps it, and so do we until it is
        log.warn("message could not be stored; trying again", {
          attempt,
          reason: scrub(error instanceof Error ? error.message : String(error)),
        });
        await sleep(clock, backoffMs(timing.backoff, attempt), stopping);
      }
    }
    throw new Fault("shutting_down", "stopped before the update was stored");
  };

  const submitBatch = async (updates: readonly Update[]) => {
    const byChat = Map.groupBy(updates, (update) => update.message?.chat.id);
    await Promise.all(
      [...byChat.values()].map(async (chat) => {
        for (const update of chat) await submitOne(update);
      }),
    );
    const last = updates.reduce<number | undefined>(
      (max, update) => Math.max(max ?? update.update_id, update.update_id),
      undefined,
    );
    if (last !== undefined) offset = last + 1;
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
      submitting = submitBatch(updates).catch((error: unknown) => {
        if (!(error instanceof Fault && error.code === "shutting_down"))
          log.error("taking up updates broke", { error });
      });
      await submitting;
    },
    idle: () => submitting,
  };
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
        next: `get the token from @BotFather, correct ${tokenSource} and restart`,
        waitMs: timing.tokenRetryMs,
      };
    case "conflict":
      return {
        reason: "another program polls with this bot token",
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
