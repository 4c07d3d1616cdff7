// Messages that a client or a tool asks us to send. Rows first, like every reply; a client also waits for the outcome.

import { createHash } from "node:crypto";

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Ids, SessionKey } from "../base/ids.ts";
import { canonicalJson } from "../base/json.ts";
import { inSpan, type BeginSpan } from "../base/trace.ts";
import type { Database, Sql } from "../platform/database.ts";
import type { Channel } from "../ports/channel.ts";
import type { DeliveryTarget } from "../ports/message.ts";
import { chunkMarkdown } from "./chunk.ts";
import { agentOf, sessionOfTarget, type RoutePolicy } from "./route.ts";
import type { SendPolicy } from "./send-policy.ts";
import type { SessionFeed } from "./sessions/feed.ts";
import { ownMessage } from "./sessions/record.ts";
import { findAnswer, keepAnswer, openAnswer, type KeyScope } from "./store/idempotency.ts";
import { findByEffect, insertOutbox, markFailed, type OutboxRow } from "./store/outbox.ts";
import { touchSession } from "./store/sessions.ts";
import { appendMessages } from "./store/transcript.ts";
import type { Waiters } from "./waiters.ts";

/** How long `send` waits for the platform before it gives the message up. */
const sendTimeoutMs = 30_000;

export interface SendRequest {
  readonly scope: KeyScope;
  readonly target: DeliveryTarget;
  readonly text: string;
  readonly replyTo?: string;
  /** Whose transcript gets the text, once it is sent; absent: the session of the chat. */
  readonly sessionKey?: SessionKey;
}

export interface SentMessage {
  readonly runId: string;
  readonly messageId: string;
  readonly channel: string;
  readonly chatId: string;
}

export interface Sending {
  /**
   * The channel by id, or the only one that is configured.
   * @throws Fault `not_linked` for a channel that is not set up, `unsupported_channel` for an unknown one, or when none is
   * named and the choice is not clear.
   */
  resolveChannel(id: string | undefined): Channel;
  /** The channel that is meant when none is named; undefined unless exactly one is set up. */
  onlyChannel(): Channel | undefined;
  /**
   * Sends once, however often it is asked with the same key, and answers the same each time, also after a restart.
   * @throws Fault `not_linked`, `channel_unavailable` (nothing was stored), `send_rejected`, `send_unknown`, `key_reused`, and
   * `invalid_params` when the session is muted.
   */
  send(request: SendRequest): Promise<SentMessage>;
}

export interface SendingDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly waiters: Waiters;
  readonly channels: () => readonly Channel[];
  readonly onOutbox: () => void;
  readonly ids: Ids;
  readonly routePolicy: () => RoutePolicy;
  readonly sessionFeed: SessionFeed;
  readonly sendPolicy: SendPolicy;
  readonly beginSpan: BeginSpan;
}

export function createSending(dependencies: SendingDependencies): Sending {
  const { database, sendPolicy } = dependencies;

  const resolveChannel = (id: string | undefined) => decideChannel(dependencies.channels(), id);

  return {
    resolveChannel,
    onlyChannel() {
      const [only, ...others] = dependencies.channels();
      return others.length === 0 ? only : undefined;
    },
    async send(request) {
      const channel = resolveChannel(request.target.channel);
      const chunks = chunkMarkdown(request.text, channel.textLimit(request.target.account));
      if (chunks.length === 0) throw new Fault("invalid_params", "the message is empty", { field: "message" });

      const effects = chunks.map((_, index) => `send:${request.scope.principal}:${request.scope.key}:${index}`);
      const sessionKey = request.sessionKey ?? sessionOfTarget(request.target, dependencies.routePolicy());
      const span = dependencies.beginSpan("send", { kind: "server", attributes: { "messaging.system": channel.id } });
      const sendOnce = async () => {
        const now = dependencies.clock.now();
        const rows = { request, channel, chunks, effects, sessionKey, sendPolicy, now, trace: span.context };
        const kept = await database.write((sql) => begin(sql, rows));
        if (kept !== undefined) return settledAnswer(kept);
        dependencies.onOutbox();

        const sent: OutboxRow[] = [];
        for (const effect of effects) sent.push(await waitForRow(effect, dependencies));
        const answer = toAnswer(request, sent);
        await keep(answer, { request, sessionKey }, dependencies);
        return settledAnswer(answer);
      };
      return inSpan(span, sendOnce, () => ({}));
    },
  };
}

type Answer =
  | { readonly ok: SentMessage }
  | {
      readonly fault: {
        readonly code: "send_rejected" | "send_unknown" | "channel_unavailable";
        readonly message: string;
      };
    };

/** Keeps the answer; a message that went out is mirrored into the session with it, once. */
async function keep(
  answer: Answer,
  { request, sessionKey }: { request: SendRequest; sessionKey: SessionKey },
  { database, clock, ids, routePolicy, sessionFeed }: SendingDependencies,
): Promise<void> {
  const message = ownMessage(request.text, clock.now(), { model: "delivery-mirror", stopReason: "stop" });
  const mirrored = await database.write((sql) => {
    // two who wait for the same message both come here
    if (findAnswer(sql, request.scope)?.response !== undefined) return undefined;
    keepAnswer(sql, request.scope, answer);
    if ("fault" in answer) return undefined;
    const agentId = agentOf(sessionKey, routePolicy().defaultAgentId);
    const { sessionId } = touchSession(sql, { key: sessionKey, sessionId: ids.uuid(), agentId, now: clock.now() });
    appendMessages(sql, { sessionId }, [message]);
    return sessionId;
  });
  if (!mirrored) return;
  sessionFeed.said({ sessionKey, sessionId: mirrored }, [message]);
  sessionFeed.changed(sessionKey, "message");
}

function settledAnswer(answer: Answer): SentMessage {
  if ("ok" in answer) return answer.ok;
  throw new Fault(answer.fault.code, answer.fault.message, {
    next:
      answer.fault.code === "send_unknown"
        ? "look at the chat before sending it again"
        : "mend the cause, then send it again with a new key",
  });
}

/** Channels that a person may ask for before they have set them up. */
const knownChannels: Readonly<Record<string, string>> = { telegram: "Telegram", whatsapp: "WhatsApp" };

function decideChannel(channels: readonly Channel[], id: string | undefined): Channel {
  const wanted = id?.trim().toLowerCase();
  const [only, ...others] = channels;
  if (!wanted) {
    if (only && others.length === 0) return only;
    if (!only) throw notLinked("no channel is set up here");
    throw new Fault("unsupported_channel", "which channel? several are set up", {
      field: "channel",
      next: `name one of: ${listOf(channels)}`,
    });
  }
  const found = channels.find((channel) => channel.id === wanted);
  if (found) return found;
  const label = knownChannels[wanted];
  if (label) throw notLinked(`${label} has no account linked`);
  throw new Fault("unsupported_channel", `unsupported channel: ${wanted}`, {
    field: "channel",
    next: only ? `set up: ${listOf(channels)}` : "set up a channel first",
  });
}

const listOf = (channels: readonly Channel[]) => channels.map((channel) => channel.id).join(", ");

function notLinked(message: string): Fault {
  return new Fault("not_linked", message, {
    field: "channel",
    next: "set up a channel first, such as channels.telegram.botToken in the config",
  });
}

/** @returns the answer of an earlier request with this key; undefined when the rows wait to be sent. */
function begin(
  sql: Sql,
  options: {
    request: SendRequest;
    channel: Channel;
    chunks: string[];
    effects: string[];
    sessionKey: SessionKey;
    sendPolicy: SendPolicy;
    now: number;
    trace: string | undefined;
  },
): Answer | undefined {
  const { request, now } = options;
  const bodyHash = createHash("sha256")
    .update(
      canonicalJson({
        target: request.target,
        text: request.text,
        replyTo: request.replyTo ?? null,
        ...(request.sessionKey ? { sessionKey: request.sessionKey } : {}),
      }),
    )
    .digest("base64url");
  const known = findAnswer(sql, request.scope);
  if (known) {
    if (known.bodyHash !== bodyHash) {
      throw new Fault("key_reused", "this idempotencyKey was used before for another message", {
        field: "idempotencyKey",
        next: "use a new key",
      });
    }
    // kept by keepAnswer from an Answer
    return known.response as Answer | undefined;
  }
  options.sendPolicy.check(sql, options.sessionKey);
  checkConnected(options.channel, request.target.account);
  openAnswer(sql, request.scope, bodyHash, now);
  for (const [index, text] of options.chunks.entries()) {
    insertOutbox(sql, {
      effectKey: options.effects[index] ?? "",
      source: "send",
      target: request.target,
      payload: { text, ...(index === 0 && request.replyTo ? { replyTo: request.replyTo } : {}) },
      now,
      trace: options.trace,
    });
  }
  return undefined;
}

/** A client is told at once rather than left to wait for a channel that is down. */
function checkConnected(channel: Channel, account: string): void {
  const status = channel.status().find((candidate) => candidate.accountId === account);
  if (!status?.isConfigured || status.isLinked === false) {
    throw new Fault("not_linked", `${channel.label} has no account "${account}" linked`, {
      field: "accountId",
      next: `set up ${channel.label} first; \`health\` shows what is missing`,
    });
  }
  if (!status.isConnected) {
    throw new Fault(
      "channel_unavailable",
      `${channel.label} is not connected${status.problem ? `: ${status.problem.reason}` : ""}`,
      {
        retryAfterMs: 5_000,
        ...(status.problem?.next ? { next: status.problem.next } : {}),
      },
    );
  }
}

/** The row once it has ended; a row that cannot be sent in time is taken out of line, so that the answer stays true. */
async function waitForRow(effect: string, { database, clock, waiters }: SendingDependencies): Promise<OutboxRow> {
  const until = clock.monotonic() + sendTimeoutMs;
  for (;;) {
    const stop = new AbortController();
    const leftMs = until - clock.monotonic();
    const rung = waiters.wait(effect, Math.max(1, leftMs), stop.signal);
    const row = await database.read((sql) => findByEffect(sql, effect));
    if (!row) throw new Fault("internal", "the message's row is gone");
    if (row.state === "sent" || row.state === "failed" || row.state === "unknown") {
      stop.abort();
      return row;
    }
    if (leftMs <= 0 && row.state === "pending") {
      stop.abort();
      await database.write((sql) => giveUp(sql, effect, clock.now()));
      continue;
    }
    await rung;
  }
}

function giveUp(sql: Sql, effect: string, now: number): void {
  const row = findByEffect(sql, effect);
  if (row?.state === "pending")
    markFailed(
      sql,
      row.id,
      `not sent within ${sendTimeoutMs / 1000} s: ${row.reason ?? "the channel is busy, or was stopped"}`,
      now,
    );
}

function toAnswer(request: SendRequest, rows: readonly OutboxRow[]): Answer {
  const bad = rows.find((row) => row.state !== "sent");
  if (bad?.state === "unknown")
    return { fault: { code: "send_unknown", message: `the send may not have arrived: ${bad.reason ?? "unknown"}` } };
  if (bad) return { fault: { code: "send_rejected", message: bad.reason ?? "the platform refused the message" } };
  const first = rows[0];
  return {
    ok: {
      runId: request.scope.key,
      messageId: first?.messageId ?? "",
      channel: request.target.channel,
      chatId: request.target.chatId,
    },
  };
}
