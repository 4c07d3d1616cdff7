// Outbound -> one sendMessage -> how it ended. Trip (a), last station. A send that may have arrived is never repeated here.

import type { Api } from "grammy/web";

import type { Clock } from "../../base/clock.ts";
import { createDeadline } from "../../base/deadline.ts";
import type { Outbound, SendOutcome } from "../../ports/message.ts";
import { toFailure, type Failure } from "./failure.ts";
import { toTelegramHtml } from "./format.ts";

export interface SendOptions {
  readonly api: Api;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly isLinkPreview: boolean;
  readonly tokenSource: string;
}

/** Telegram shows "typing" for about five seconds. */
const typingTimeoutMs = 5_000;

/** Never throws. */
export async function sendText(outbound: Outbound, options: SendOptions): Promise<SendOutcome> {
  // half a surrogate pair would make Telegram refuse the whole
  const text = outbound.text.toWellFormed();
  const html = toHtml(text);
  if (html !== undefined) {
    try {
      return { outcome: "sent", messageId: await send(outbound, options, { text: html, isHtml: true }) };
    } catch (error) {
      const failure = toFailure(error);
      if (!isMarkupRefused(failure)) return toOutcome(failure, options);
    }
  }
  try {
    return { outcome: "sent", messageId: await send(outbound, options, { text, isHtml: false }) };
  } catch (error) {
    return toOutcome(toFailure(error), options);
  }
}

/** @returns undefined for texts that are better sent as they are: nothing would be left, or they nest beyond reason. */
function toHtml(text: string): string | undefined {
  try {
    return toTelegramHtml(text) || undefined;
  } catch {
    // quotes within quotes, thousands deep, end in a RangeError: the words matter more than their looks
    return undefined;
  }
}

interface Body {
  readonly text: string;
  readonly isHtml: boolean;
}

async function send(outbound: Outbound, options: SendOptions, { text, isHtml }: Body): Promise<string> {
  const { api, clock } = options;
  const { target } = outbound;
  const thread = Number(target.threadId);
  const replyTo = Number(outbound.replyTo);
  const deadline = createDeadline(clock, options.timeoutMs);
  try {
    const message = await api.sendMessage(
      target.chatId,
      text,
      {
        ...(isHtml ? { parse_mode: "HTML" as const } : {}),
        // Telegram refuses the thread id of a forum's General topic in messages
        ...(Number.isInteger(thread) && thread > 1 ? { message_thread_id: thread } : {}),
        ...(Number.isInteger(replyTo) && replyTo > 0
          ? { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true } }
          : {}),
        ...(options.isLinkPreview ? {} : { link_preview_options: { is_disabled: true } }),
        ...(outbound.isSilent ? { disable_notification: true } : {}),
      },
      // grammY asks for an abort signal of its own making; any signal works
      deadline.signal as unknown as Parameters<Api["getMe"]>[0],
    );
    return String(message.message_id);
  } finally {
    deadline.clear();
  }
}

/** Refused for its formatting, which can be left out: a table's columns, too, may make a text too long. */
function isMarkupRefused(failure: Failure): boolean {
  return (
    failure.kind === "refused" &&
    failure.status === 400 &&
    /can't parse entities|unsupported start tag|text is empty|must be non-empty|message is too long/iu.test(
      failure.reason,
    )
  );
}

function toOutcome(failure: Failure, { tokenSource }: SendOptions): SendOutcome {
  switch (failure.kind) {
    case "busy":
      return { outcome: "retry", afterMs: failure.afterMs, reason: failure.reason };
    case "token":
      return {
        outcome: "login",
        reason: `Telegram refuses the bot token: ${failure.reason}`,
        next: `correct ${tokenSource}`,
      };
    case "refused":
      return { outcome: "rejected", reason: failure.reason };
    // two programs with one token disturb each other's polls, not their sends: this answer to a send makes no sense
    case "conflict":
    case "server":
      return { outcome: "unknown", reason: failure.reason };
    case "network":
      return failure.isSent
        ? { outcome: "unknown", reason: failure.reason }
        : { outcome: "retry", afterMs: 2_000, reason: failure.reason };
  }
}

/** Shows "typing"; what goes wrong does not matter. */
export async function sendTyping(target: { chatId: string; threadId?: string }, api: Api, clock: Clock): Promise<void> {
  const thread = Number(target.threadId);
  const deadline = createDeadline(clock, typingTimeoutMs);
  await api
    .sendChatAction(
      target.chatId,
      "typing",
      Number.isInteger(thread) && thread > 0 ? { message_thread_id: thread } : {},
      // grammY asks for an abort signal of its own making; any signal works
      deadline.signal as unknown as Parameters<Api["getMe"]>[0],
    )
    .catch(() => undefined);
  deadline.clear();
}
