// Performs one claimed turn: gathers what the agent needs, follows its events, and stores its end together with the reply's
// outbox rows in one commit. Trip (a): lane -> here -> agent/turn -> reply -> outbox.

import type { Clock } from "../base/clock.ts";
import { sleep } from "../base/clock.ts";
import { Fault, toFault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import { ellipsize } from "../base/text.ts";
import { inSpan, type BeginSpan, type Span, type SpanEnd } from "../base/trace.ts";
import type { Database, Sql } from "../platform/database.ts";
import type { DeliveryTarget, Inbound, RunOptions } from "../ports/message.ts";
import type { Publish } from "../ports/publish.ts";
import type { TranscriptMessage, TurnEvent, TurnRequest, TurnRunner } from "../ports/turn.ts";
import { agentOf } from "./route.ts";
import { readMessage } from "./store/inbox.ts";
import type { SendPolicy } from "./send-policy.ts";
import type { SessionFeed } from "./sessions/feed.ts";
import { recordMessages, type PriceOf } from "./sessions/record.ts";
import { touchSession, type SessionRow } from "./store/sessions.ts";
import { messagesOfRun, recentMessages } from "./store/transcript.ts";
import { takeSystemEvents, type SystemEventRow } from "./store/system-events.ts";
import { bindSession, isCurrent, type TurnRow } from "./store/turns.ts";
import { withSystemEvents } from "./system-events.ts";
import { createTurnFeed, type TurnFeed } from "./turn-feed.ts";
import { settleTurn, type Settled, type Settlement } from "./settlement.ts";

/** Messages of history read for a turn; the agent cuts them to the model's window. */
const historyLimit = 400;
/** A turn that was cut off this often is taken to be what kills the process. */
const maxAttempts = 25;

export interface TurnDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly publish: Publish;
  readonly beginSpan: BeginSpan;
  readonly runTurn: TurnRunner;
  readonly defaultTimeoutMs: () => number;
  readonly defaultThinking: () => string | undefined;
  readonly defaultAgentId: () => string;
  readonly textLimit: (target: DeliveryTarget) => number;
  /** Shows "typing" at the target until the returned function is called. */
  readonly showTyping: (target: DeliveryTarget) => () => void;
  readonly onOutbox: () => void;
  readonly sessionFeed: SessionFeed;
  readonly priceOf: PriceOf;
  readonly sendPolicy: SendPolicy;
  readonly isOwners: (inbound: Inbound) => boolean;
}

/** Longest name of a person or group that is kept. */
const maxTitle = 120;

export interface TurnPerformer {
  /** What the turn needs from the store, in the transaction that claims it: an fsync less before the model is asked. */
  open(sql: Sql, turn: TurnRow): Opened;
  /** Resolves when the turn's end is stored, or when it was cut off by a shutdown (its row then stays unfinished). */
  perform(turn: TurnRow, opened: Opened, signal: AbortSignal): Promise<void>;
}

export interface Opened {
  readonly inbound: Inbound;
  readonly session: SessionRow;
  readonly history: TranscriptMessage[];
  readonly events: SystemEventRow[];
  readonly done: TranscriptMessage[];
}

/** Where the reply goes: back to the chat it came from, or where the client asked; undefined for clients that only read. */
function replyTarget(inbound: Inbound, session?: SessionRow): DeliveryTarget | undefined {
  if (inbound.trust === "operator") {
    const asked = inbound.run?.deliver;
    return asked === "last" ? session?.lastRoute : asked;
  }
  const { channel, account, chat } = inbound;
  return { channel, account, chatId: chat.id, ...(chat.threadId ? { threadId: chat.threadId } : {}) };
}

export function createTurnPerformer(dependencies: TurnDependencies): TurnPerformer {
  const { clock, log, publish } = dependencies;

  const perform = async ({ turn, opened, span, signal }: Opening): Promise<TurnEvent> => {
    dependencies.sessionFeed.changed(turn.sessionKey, "start");
    const target = replyTarget(opened.inbound, opened.session);
    const feed = createTurnFeed({ runId: turn.runId, sessionKey: turn.sessionKey, publish, clock });
    const stopTyping = target && opened.inbound.trust === "channel" ? dependencies.showTyping(target) : undefined;
    const startedAt = clock.monotonic();
    try {
      const last =
        turn.attempt > maxAttempts
          ? poisoned(turn)
          : await follow(
              createRequest({ turn, opened, target, span, signal }, dependencies),
              dependencies.runTurn,
              feed,
            );
      if (last.type === "aborted" && (last.reason === "shutdown" || last.reason === "superseded")) return last;

      const settlement: Settlement = {
        turn,
        session: opened.session,
        last,
        target,
        replyTo: opened.inbound.chat.kind === "group" ? opened.inbound.messageId : undefined,
        durationMs: Math.round(clock.monotonic() - startedAt),
        trace: span.context,
      };
      await settle(settlement, { dependencies, feed, signal });
      return last;
    } finally {
      stopTyping?.();
      const ms = Math.round(clock.monotonic() - startedAt);
      log.debug("turn ended", { runId: turn.runId, attempt: turn.attempt, ms });
    }
  };

  return {
    open: (sql, turn) => open(sql, turn, dependencies),
    async perform(turn, opened, signal) {
      const span = beginTurn(turn, { opened, claimedAt: clock.now() }, dependencies.beginSpan);
      await inSpan(span, () => perform({ turn, opened, span, signal }), describe);
    },
  };
}

interface Opening {
  readonly turn: TurnRow;
  readonly opened: Opened;
  readonly span: Span;
  readonly signal: AbortSignal;
}

/** The first attempt counts from when the message was accepted: how long it waited for its turn is a span of its own. */
function beginTurn(
  turn: TurnRow,
  { opened, claimedAt }: { opened: Opened; claimedAt: number },
  beginSpan: BeginSpan,
): Span {
  const isFirst = turn.attempt === 1;
  const startedAt = isFirst ? turn.acceptedAt : claimedAt;
  const span = beginSpan("turn", {
    parent: opened.inbound.trace,
    startedAt,
    attributes: {
      "gateway.attempt": turn.attempt,
      "gateway.agent": opened.session.agentId,
      "gen_ai.conversation.id": opened.session.sessionId,
    },
  });
  if (isFirst) beginSpan("queue", { parent: span.context, startedAt }).end({ endedAt: claimedAt });
  return span;
}

function describe(last: TurnEvent): SpanEnd {
  const attributes = { "gateway.outcome": last.type };
  if (last.type === "failed") return { attributes, error: last.fault.code };
  return last.type === "aborted" ? { attributes, error: last.reason } : { attributes };
}

function poisoned(turn: TurnRow): TurnEvent {
  return {
    type: "failed",
    fault: new Fault("internal", `the turn was cut off ${turn.attempt - 1} times`),
    notice: "I could not finish answering this message. Please send it again in another form.",
  };
}

function open(sql: Sql, turn: TurnRow, { clock, ids, defaultAgentId }: TurnDependencies): Opened {
  const inbound = readMessage(sql, turn.inboxId);
  const route = inbound.trust === "channel" ? replyTarget(inbound) : undefined;
  const session = touchSession(sql, {
    key: turn.sessionKey,
    sessionId: ids.uuid(),
    agentId: agentOf(turn.sessionKey, defaultAgentId()),
    now: clock.now(),
    ...(route ? { route, chatKind: inbound.chat.kind, ...titleOf(inbound) } : {}),
  });
  // a turn that resumes stays in the transcript it began in
  const sessionId = turn.sessionId ?? session.sessionId;
  bindSession(sql, turn.runId, sessionId);
  return {
    inbound,
    session: { ...session, sessionId },
    history: recentMessages(sql, sessionId, historyLimit, turn.runId),
    events: takeSystemEvents(sql, turn),
    done: messagesOfRun(sql, turn.runId),
  };
}

/** The group's title, or the name of the person. */
function titleOf({ chat, sender }: Inbound): { title?: string } {
  const title = (chat.kind === "group" ? chat.title : sender.name)?.trim();
  return title ? { title: ellipsize(title, maxTitle) } : {};
}

interface Performing extends Opening {
  readonly target: DeliveryTarget | undefined;
}

function createRequest(
  { turn, opened, target, span, signal }: Performing,
  dependencies: TurnDependencies,
): TurnRequest {
  const { inbound, session } = opened;
  const { sender, chat } = inbound;
  const run: Partial<RunOptions> = inbound.run ?? {};
  const { database, clock, log, priceOf, sessionFeed } = dependencies;
  const place = {
    sessionKey: turn.sessionKey,
    sessionId: session.sessionId,
    agentId: session.agentId,
    runId: turn.runId,
  };
  return {
    runId: turn.runId,
    attempt: turn.attempt,
    sessionKey: turn.sessionKey,
    sessionId: session.sessionId,
    agentId: session.agentId,
    isOwner: dependencies.isOwners(inbound),
    text: withSystemEvents(inbound.text, opened.events),
    attachments: inbound.attachments ?? [],
    origin: target && { ...target, senderId: sender.id, chatKind: chat.kind, senderName: sender.name },
    timeoutMs: run.timeoutMs ?? dependencies.defaultTimeoutMs(),
    model: run.model ?? session.settings.model,
    thinking: run.thinking ?? session.settings.thinkingLevel ?? dependencies.defaultThinking(),
    extraSystemPrompt: run.extraSystemPrompt,
    functions: run.functions,
    functionChoice: run.functionChoice,
    functionResults: run.functionResults,
    sampling: run.sampling,
    trace: span.context,
    history: run.conversation ?? opened.history,
    done: opened.done,
    async checkpoint(messages) {
      const store = () =>
        database.write((sql) => {
          if (!isCurrent(sql, turn)) throw new Fault("aborted", "a newer attempt owns this turn");
          recordMessages(sql, place, { messages, now: clock.now(), priceOf });
        });
      for (let attempt = 1; ; attempt += 1) {
        try {
          await store();
          break;
        } catch (error) {
          // a disk that is full for a while ends no turn: it has until its own time is over
          if (signal.aborted || !(error instanceof Fault) || error.code !== "storage") throw error;
          log.error("cannot store a step of a turn; trying again", { runId: turn.runId, error });
          await sleep(clock, storePauseMs(attempt), signal);
        }
      }
      sessionFeed.said(place, messages);
    },
    signal,
  };
}

/** Feeds clients with what happens; returns the terminal event. A runner that breaks its promise counts as failed. */
async function follow(request: TurnRequest, runTurn: TurnRunner, feed: TurnFeed): Promise<TurnEvent> {
  try {
    for await (const event of runTurn(request)) {
      if (event.type === "end" || event.type === "failed" || event.type === "aborted") return event;
      feed.progress(event);
    }
    throw new Fault("internal", "the turn ended without an end");
  } catch (error) {
    return {
      type: "failed",
      fault: toFault(error),
      notice: "Something went wrong on my side while answering. The owner can see why in the log.",
    };
  }
}

/** Short enough that all goes on within seconds once the disk has room again. */
const storePauseMs = (attempt: number) => Math.min(4_000, 250 * 2 ** attempt);

interface Settling {
  readonly dependencies: TurnDependencies;
  readonly feed: TurnFeed;
  readonly signal: AbortSignal;
}

/** Stores the end, as often as it takes: the reply exists only here until it is committed. */
async function settle(settlement: Settlement, { dependencies, feed, signal }: Settling): Promise<void> {
  const { database, clock, log, textLimit, priceOf, sendPolicy, sessionFeed } = dependencies;
  const { turn, session } = settlement;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const settled = await database.write((sql) =>
        settleTurn(sql, settlement, { now: clock.now(), textLimit, priceOf, sendPolicy }),
      );
      if (!settled) return;
      dependencies.onOutbox();
      tellEnd(settled, feed);
      if (settled.message) {
        sessionFeed.said({ sessionKey: turn.sessionKey, sessionId: session.sessionId, runId: turn.runId }, [
          settled.message,
        ]);
      }
      sessionFeed.changed(turn.sessionKey, "end");
      if (settled.state === "error") {
        log.warn("turn failed", { runId: turn.runId, reason: settled.outcome.fault?.message });
      }
      return;
    } catch (error) {
      if (signal.aborted && signal.reason === "shutdown") throw error;
      log.error("cannot store the end of a turn; trying again", { runId: turn.runId, error });
      await sleep(clock, storePauseMs(attempt));
    }
  }
}

function tellEnd({ state, outcome }: Settled, feed: TurnFeed): void {
  if (state === "ok") feed.end(outcome.text, outcome.stopReason ?? "stop");
  else if (state === "aborted") feed.aborted(outcome.stopReason ?? "rpc", outcome.text);
  else feed.failed(outcome.fault?.message ?? "the turn failed");
}
