// Puts the room together: intake, lane, delivery and what clients ask of them. Straight wiring, no logic.

import type { Clock } from "../base/clock.ts";
import type { Ids } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import { noSpans, type BeginSpan } from "../base/trace.ts";
import type { Database } from "../platform/database.ts";
import type { Channel } from "../ports/channel.ts";
import type { SendOutcome } from "../ports/message.ts";
import type { Publish } from "../ports/publish.ts";
import type { Topics } from "../ports/topics.ts";
import type { Tool } from "../ports/tool.ts";
import type { TurnRunner } from "../ports/turn.ts";
import { createDelivery } from "./delivery.ts";
import { isOwners, type GatePolicy } from "./gate.ts";
import { createIntake, type Intake } from "./intake.ts";
import { createLane, type Lane } from "./lane.ts";
import { createWriteNotice, type WriteNotice } from "./notices.ts";
import { createOverview, type Overview } from "./overview.ts";
import type { PairingText } from "./pairing.ts";
import {
  createRetention,
  defaultRetention,
  type ForgottenKind,
  type Retention,
  type RetentionPolicy,
} from "./retention/retention.ts";
import type { SessionTable } from "./retention/session-tables.ts";
import type { RoutePolicy } from "./route.ts";
import { createRuns, type Runs } from "./runs.ts";
import { createSendPolicy, type SendRules } from "./send-policy.ts";
import { createSending, type Sending } from "./send.ts";
import { createSessionFeed, type SessionFeed } from "./sessions/feed.ts";
import { createInject, type Inject } from "./sessions/inject.ts";
import type { PriceOf } from "./sessions/record.ts";
import type { ViewModel } from "./sessions/render.ts";
import { createSystemEvents, type SystemEvents } from "./system-events.ts";
import { createConversationTools } from "./tools.ts";
import { createTurnPerformer } from "./turn.ts";
import { createTurnFeed } from "./turn-feed.ts";
import { createTyping } from "./typing.ts";
import { createWaiters } from "./waiters.ts";

export interface ConversationDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly publish: Publish;
  readonly topics: Pick<Topics, "isWanted">;
  readonly viewModel: ViewModel;
  readonly priceOf: PriceOf;
  readonly runTurn: TurnRunner;
  readonly channels: () => readonly Channel[];
  readonly gatePolicy: (channel: string, account: string) => GatePolicy;
  readonly routePolicy: () => RoutePolicy;
  readonly sendRules: () => SendRules;
  readonly pairingText: PairingText;
  readonly defaultTimeoutMs: () => number;
  /** Of turns whose request and session say nothing. */
  readonly defaultThinking: () => string | undefined;
  readonly maxConcurrent: () => number;
  /** A send has ended, for the figures. */
  readonly onSend?: (channel: string, outcome: SendOutcome["outcome"]) => void;
  /** Absent: nothing is traced. */
  readonly beginSpan?: BeginSpan;
  /** What is kept for how long; absent: as by default. */
  readonly retention?: () => RetentionPolicy;
  /** What rooms above this one keep of a session. */
  readonly sessionTables?: readonly SessionTable[];
  /** Old things went, for the figures. */
  readonly onForgotten?: (kind: ForgottenKind, count: number) => void;
}

export interface Conversation {
  readonly intake: Intake;
  readonly lane: Lane;
  /** Resolves once what can be sent now is, or when the deadline aborts. */
  readonly deliver: (deadline: AbortSignal) => Promise<void>;
  readonly runs: Runs;
  readonly sending: Sending;
  readonly overview: Overview;
  readonly systemEvents: SystemEvents;
  readonly retention: Retention;
  readonly sessionFeed: SessionFeed;
  readonly inject: Inject;
  readonly writeNotice: WriteNotice;
  readonly tools: readonly Tool[];
  /** In the order in which they start. */
  readonly services: readonly Service[];
}

/** Chunk size for a channel that has gone from the config: small enough for every platform. */
const cautiousTextLimit = 1_500;

export function createConversation(dependencies: ConversationDependencies): Conversation {
  const { database, clock, ids, log, beginSpan = noSpans } = dependencies;
  const findChannel = (id: string) => dependencies.channels().find((channel) => channel.id === id);
  const endedTurns = createWaiters(clock);
  const finishedSends = createWaiters(clock);

  const delivery = createDelivery({
    database,
    clock,
    log: log.child("delivery"),
    beginSpan,
    channel: findChannel,
    onSend: dependencies.onSend,
    onFinished: (effectKey) => finishedSends.ring(effectKey),
  });
  const onOutbox = () => delivery.wake();
  const sessionFeed = createSessionFeed(dependencies);
  const sendPolicy = createSendPolicy(dependencies.sendRules);

  const lane = createLane({
    database,
    clock,
    log: log.child("lane"),
    maxConcurrent: dependencies.maxConcurrent,
    onEnded: (runId) => endedTurns.ring(runId),
    onDropped: (runId, sessionKey, reason) =>
      createTurnFeed({ runId, sessionKey, publish: dependencies.publish, clock }).aborted(reason, ""),
    performer: createTurnPerformer({
      ...dependencies,
      log: log.child("turn"),
      beginSpan,
      defaultAgentId: () => dependencies.routePolicy().defaultAgentId,
      textLimit: ({ channel, account }) => findChannel(channel)?.textLimit(account) ?? cautiousTextLimit,
      showTyping: createTyping({ clock, channel: findChannel }),
      onOutbox,
      sessionFeed,
      sendPolicy,
      isOwners: (inbound) => isOwners(inbound, dependencies.gatePolicy(inbound.channel, inbound.account)),
    }),
  });

  const intake = createIntake({
    database,
    clock,
    ids,
    log: log.child("intake"),
    gatePolicy: dependencies.gatePolicy,
    routePolicy: dependencies.routePolicy,
    sendPolicy,
    pairingText: dependencies.pairingText,
    beginSpan,
    onWork: (sessionKey) => lane.wake(sessionKey),
    onOutbox,
    onStop: (sessionKey) => {
      lane
        .abortAll(sessionKey, "stop")
        .catch((error: unknown) => log.error("cannot stop a session", { sessionKey, error }));
    },
  });

  const sending = createSending({
    ...dependencies,
    beginSpan,
    waiters: finishedSends,
    onOutbox,
    sessionFeed,
    sendPolicy,
  });
  const retention = createRetention({
    database,
    clock,
    log: log.child("retention"),
    policy: dependencies.retention ?? (() => defaultRetention),
    tables: dependencies.sessionTables ?? [],
    onRemoved: (key) => sessionFeed.changed(key, "delete"),
    onForgotten: dependencies.onForgotten ?? (() => undefined),
  });
  return {
    intake,
    lane,
    deliver: delivery.flush,
    runs: createRuns({ database, clock, waiters: endedTurns }),
    sending,
    overview: createOverview({ database, clock }),
    systemEvents: createSystemEvents({ database, clock }),
    sessionFeed,
    inject: createInject({ ...dependencies, sessionFeed }),
    writeNotice: createWriteNotice({ ...dependencies, onOutbox, sessionFeed, sendPolicy }),
    tools: createConversationTools({ database, clock, sending, onOutbox, sendPolicy }),
    retention,
    services: [lane, delivery, retention],
  };
}
