// Updates -> submit, in order within a chat. What cannot be stored now is kept until it can: Telegram has it, too, for the offset
// moves only past what this file has seen committed (R3).

import type { Update } from "grammy/types";

import { backoffMs, type BackoffPolicy } from "../../base/backoff.ts";
import { sleep, type Clock } from "../../base/clock.ts";
import { Fault, faultCodes } from "../../base/fault.ts";
import { isRecord } from "../../base/json.ts";
import type { Log } from "../../base/log.ts";
import type { Submit } from "../../ports/message.ts";
import { scrub } from "./failure.ts";
import { toInbound, type Me } from "./receive.ts";
import type { StatusBoard } from "./status.ts";

export interface TakeUpOptions {
  readonly account: string;
  readonly submit: Submit;
  readonly status: StatusBoard;
  readonly clock: Clock;
  readonly log: Log;
  /** Between tries to store. */
  readonly backoff: BackoffPolicy;
  readonly me: Me | undefined;
  readonly stopping: AbortSignal;
}

/**
 * @returns the offset behind these updates; undefined when there are none.
 * @throws Fault `shutting_down` when it was stopped before all were stored; nothing is submitted any more then.
 */
export async function takeUp(updates: readonly Update[], options: TakeUpOptions): Promise<number | undefined> {
  const byChat = Map.groupBy(updates, chatOf);
  // all of them are waited for: nothing may be submitted any more once this has ended, well or not
  const chats = await Promise.allSettled(
    [...byChat.values()].map(async (chat) => {
      for (const update of chat) await takeUpOne(update, options);
    }),
  );
  const broken = chats.find((chat) => chat.status === "rejected");
  if (broken) throw broken.reason;
  return updates.length === 0 ? undefined : Math.max(...updates.map((update) => update.update_id)) + 1;
}

async function takeUpOne(update: Update, options: TakeUpOptions): Promise<void> {
  const { status, log, clock, backoff, stopping } = options;
  const inbound = toInbound(update, options);
  if (!inbound) return;
  for (let attempt = 1; !stopping.aborted; attempt += 1) {
    try {
      await options.submit(inbound);
      status.received();
      if (attempt > 1) status.reached();
      return;
    } catch (error) {
      const reason = scrub(error instanceof Error ? error.message : String(error));
      if (isHopeless(error)) {
        log.error("a message cannot be taken up and is given up", { eventId: inbound.eventId, reason });
        return;
      }
      // not stored: Telegram keeps it, and so do we until it is
      if (!isShuttingDown(error)) status.trouble(`messages cannot be stored: ${reason}`);
      await sleep(clock, backoffMs(backoff, attempt), stopping);
    }
  }
  throw new Fault("shutting_down", "stopped before the update was stored");
}

function chatOf({ message }: { readonly message?: unknown }): unknown {
  return isRecord(message) && isRecord(message["chat"]) ? message["chat"]["id"] : undefined;
}

export function isShuttingDown(error: unknown): boolean {
  return error instanceof Fault && error.code === "shutting_down";
}

/** Would fail for ever; waiting for it would keep all later messages out. A bug (`internal`) is waited for: it may be mended. */
function isHopeless(error: unknown): boolean {
  return error instanceof Fault && error.code !== "internal" && !faultCodes[error.code].retryable;
}
