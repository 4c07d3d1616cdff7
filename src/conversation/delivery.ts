// Outbox rows -> channel -> outcome. In order within a conversation, several conversations side by side; intent is committed
// before each send, and a row is finished only on a confirmed outcome (R23).

import { backoffMs, type BackoffPolicy } from "../base/backoff.ts";
import { sleep, type Clock, type Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import { inSpan, type BeginSpan, type SpanEnd } from "../base/trace.ts";
import type { Database, Sql } from "../platform/database.ts";
import type { Channel } from "../ports/channel.ts";
import type { SendOutcome } from "../ports/message.ts";
import {
  headsOfLine,
  markFailed,
  markPending,
  markSending,
  markSent,
  markUnknown,
  recoverSending,
  type OutboxRow,
} from "./store/outbox.ts";

const retryPolicy: BackoffPolicy = { initialMs: 1_000, maxMs: 5 * 60_000, factor: 2, jitter: 0.2 };
/** A send whose outcome is unknown is tried once more after this long. */
const unknownRetryMs = 2_000;
/**
 * So is one that a crash cut off, once this life of the process has lasted so long: a process that dies again and again must not
 * use up the only retry that each of them has.
 */
const recoveredRetryMs = 1_000;
const loginRetryMs = 60_000;
/** Sends under way at once, for each account. */
const maxParallel = 8;
const flushLookMs = 20;
/** After the database refused. */
const brokenPauseMs = 1_000;
/** A channel that does not run yet, or not any more, is looked at again after this long. */
const notRunningLookMs = 200;
/** Rows may also be written by the CLI, which cannot wake us. */
const sweepMs = 2_000;

export interface DeliveryDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly beginSpan: BeginSpan;
  /** The channel by id; undefined when it is not configured: its rows wait. */
  readonly channel: (id: string) => Channel | undefined;
  /** A row reached its end: sent, failed or unknown. */
  readonly onFinished?: (effectKey: string) => void;
  /** A send has ended, for the figures. */
  readonly onSend?: ((channel: string, outcome: SendOutcome["outcome"]) => void) | undefined;
}

export interface Delivery extends Service {
  /** There are new rows, already committed. */
  wake(): void;
  /** Resolves once no row that is due is left to send, or when `deadline` aborts. */
  flush(deadline: AbortSignal): Promise<void>;
}

export function createDelivery(dependencies: DeliveryDependencies): Delivery {
  const { database, clock, log } = dependencies;
  const inFlight = new Map<string, Promise<void>>();
  const perAccount = new Map<string, number>();
  let isOpen = false;
  let isScanning = false;
  let isScanWanted = false;
  let timer: Timer | undefined;

  const accountOf = (row: OutboxRow) => `${row.target.channel}:${row.target.account}`;

  const launch = (row: OutboxRow) => {
    const account = accountOf(row);
    perAccount.set(account, (perAccount.get(account) ?? 0) + 1);
    const send = deliverRow(row, dependencies, () => isOpen)
      .catch(async (error: unknown) => {
        log.error("delivery broke; the message stays in line", { row: row.id, error });
        // a disk that is full would be asked again at once, and again
        await sleep(clock, brokenPauseMs);
      })
      .finally(() => {
        inFlight.delete(row.conversation);
        perAccount.set(account, (perAccount.get(account) ?? 1) - 1);
        wake();
      });
    inFlight.set(row.conversation, send);
  };

  const scan = async () => {
    const now = clock.now();
    const stateOf = lookAtAccounts(dependencies);
    let nextAt = now + sweepMs;
    for (const row of await database.read((sql) => headsOfLine(sql, now))) {
      if (!isOpen) return;
      const state = stateOf(row);
      if (inFlight.has(row.conversation) || state === "unknown") continue;
      if (row.dueAt > now) nextAt = Math.min(nextAt, row.dueAt);
      // not asked, so that this is no attempt, and nothing is in doubt when the process ends now
      else if (state === "stopped") nextAt = Math.min(nextAt, now + notRunningLookMs);
      else if ((perAccount.get(accountOf(row)) ?? 0) < maxParallel) launch(row);
    }
    timer?.cancel();
    timer = clock.after(Math.max(10, nextAt - now), wake);
  };

  const wake = () => {
    isScanWanted = true;
    if (isScanning || !isOpen) return;
    isScanning = true;
    void (async () => {
      try {
        while (isScanWanted && isOpen) {
          isScanWanted = false;
          await scan();
        }
      } catch (error) {
        log.error("cannot read the outbox; trying again", { error });
        timer = clock.after(sweepMs, wake);
      } finally {
        isScanning = false;
      }
    })();
  };

  return {
    name: "delivery",
    wake,
    async flush(deadline) {
      while (!deadline.aborted && isOpen) {
        const now = clock.now();
        const stateOf = lookAtAccounts(dependencies);
        const rows = await database.read((sql) => headsOfLine(sql, now));
        const isWaiting = rows.some((row) => row.dueAt <= now && stateOf(row) === "running");
        if (!isWaiting && inFlight.size === 0) return;
        wake();
        await sleep(clock, flushLookMs, deadline);
      }
    },
    async start() {
      const recovered = await database.write((sql) => recoverSending(sql, clock.now() + recoveredRetryMs));
      if (recovered > 0) log.warn("sends with unknown outcome found", { count: recovered });
      isOpen = true;
      wake();
    },
    async stop(deadline) {
      isOpen = false;
      timer?.cancel();
      const late = new Promise<void>((resolve) => {
        if (deadline.aborted) resolve();
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
      await Promise.race([Promise.all(inFlight.values()), late]);
    },
  };
}

type AccountState = "running" | "stopped" | "unknown";

/** Each channel is asked once, however many rows there are. `unknown`: it is not set up, or not any more, and its rows wait. */
function lookAtAccounts({ channel }: Pick<DeliveryDependencies, "channel">): (row: OutboxRow) => AccountState {
  const seen = new Map<string, ReadonlyMap<string, AccountState>>();
  const look = (id: string): ReadonlyMap<string, AccountState> => {
    const all = channel(id)?.status() ?? [];
    return new Map(all.map(({ accountId, isRunning }) => [accountId, isRunning ? "running" : "stopped"]));
  };
  return ({ target }) => {
    const states = seen.get(target.channel) ?? look(target.channel);
    seen.set(target.channel, states);
    return states.get(target.account) ?? "unknown";
  };
}

async function deliverRow(row: OutboxRow, dependencies: DeliveryDependencies, isOpen: () => boolean): Promise<void> {
  const { database } = dependencies;
  const channel = dependencies.channel(row.target.channel);
  if (!channel || !(await database.write((sql) => markSending(sql, row.id)))) return;

  const outcome = await sendTraced(row, channel, dependencies.beginSpan);
  await recordWhenPossible({ row, outcome }, dependencies, isOpen);
  tell(row, outcome, dependencies);
}

/** As often as it takes: what became of it is known only here, and the chat waits for it. */
async function recordWhenPossible(
  { row, outcome }: { readonly row: OutboxRow; readonly outcome: SendOutcome },
  { database, clock, log }: DeliveryDependencies,
  isOpen: () => boolean,
): Promise<void> {
  for (;;) {
    try {
      await database.write((sql) => record(sql, { row, outcome, now: clock.now() }));
      return;
    } catch (error) {
      if (!isOpen()) throw error;
      log.error("cannot store what became of a message; trying again", { row: row.id, error });
      await sleep(clock, brokenPauseMs);
    }
  }
}

function sendTraced(row: OutboxRow, channel: Channel, beginSpan: BeginSpan): Promise<SendOutcome> {
  const span = beginSpan(`send ${channel.id}`, {
    kind: "producer",
    parent: row.trace,
    attributes: {
      "messaging.system": channel.id,
      "messaging.operation.type": "send",
      "gateway.attempt": row.attempts + 1,
      "gateway.was_unknown": row.isFlagged,
    },
  });
  return inSpan(
    span,
    () => channel.send({ target: row.target, effectKey: row.effectKey, ...row.payload }),
    ({ outcome }): SpanEnd => ({
      attributes: { "gateway.outcome": outcome },
      error: outcome === "sent" ? undefined : outcome,
    }),
  );
}

function record(sql: Sql, { row, outcome, now }: { row: OutboxRow; outcome: SendOutcome; now: number }): void {
  switch (outcome.outcome) {
    case "sent":
      return markSent(sql, row.id, outcome.messageId, now);
    case "rejected":
      return markFailed(sql, row.id, outcome.reason, now);
    case "unknown":
      return markUnknown(sql, row.id, now + unknownRetryMs, outcome.reason);
    case "login":
      return markPending(sql, row.id, now + loginRetryMs, outcome.reason);
    case "retry":
      return markPending(
        sql,
        row.id,
        now + Math.max(outcome.afterMs, backoffMs(retryPolicy, row.attempts + 1)),
        outcome.reason,
      );
  }
}

function tell(row: OutboxRow, outcome: SendOutcome, { log, onFinished, onSend }: DeliveryDependencies): void {
  onSend?.(row.target.channel, outcome.outcome);
  const fields = { channel: row.target.channel, row: row.id, attempt: row.attempts + 1 };
  if (outcome.outcome === "sent") log.debug("message delivered", fields);
  else log.warn(`message not delivered: ${outcome.outcome}`, { ...fields, reason: outcome.reason });

  const isFinal =
    outcome.outcome === "sent" || outcome.outcome === "rejected" || (outcome.outcome === "unknown" && row.isFlagged);
  if (isFinal) onFinished?.(row.effectKey);
}
