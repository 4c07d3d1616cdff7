// What the Gateway itself has to say to a session: its agent reads it with the next turn, and people in the chat that it was last
// heard from, or else in clients. In the transaction of whoever has something to say, so that it is said once.

import type { Clock } from "../base/clock.ts";
import type { SessionKey } from "../base/ids.ts";
import type { Sql } from "../platform/database.ts";
import type { DeliveryTarget } from "../ports/message.ts";
import type { Publish } from "../ports/publish.ts";
import type { SendPolicy } from "./send-policy.ts";
import type { SessionFeed } from "./sessions/feed.ts";
import { ownMessage } from "./sessions/record.ts";
import { insertOutbox } from "./store/outbox.ts";
import { findSession } from "./store/sessions.ts";
import { addSystemEvent } from "./store/system-events.ts";
import { appendMessages } from "./store/transcript.ts";

export interface Notice {
  readonly sessionKey: SessionKey;
  /** Said once, however often it is written. */
  readonly effectKey: string;
  /** For people. */
  readonly text: string;
  /** For the agent. */
  readonly event: string;
  /** Where people are told when the session was never heard from in a chat. */
  readonly target?: DeliveryTarget;
}

/** @returns what is left to do once the transaction is committed. */
export type WriteNotice = (sql: Sql, notice: Notice) => () => void;

export interface NoticeDependencies {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly onOutbox: () => void;
  readonly sessionFeed: SessionFeed;
  readonly sendPolicy: SendPolicy;
}

export function createWriteNotice(dependencies: NoticeDependencies): WriteNotice {
  const { clock, publish, sessionFeed } = dependencies;
  return (sql, { sessionKey, effectKey, text, event, target }) => {
    const now = clock.now();
    addSystemEvent(sql, sessionKey, { text: event, at: now });
    const session = findSession(sql, sessionKey);
    const route = session?.lastRoute ?? target;
    if (route) {
      if (dependencies.sendPolicy.isMuted(sql, sessionKey)) return () => undefined;
      insertOutbox(sql, { effectKey, source: "notice", target: route, payload: { text }, now });
      return dependencies.onOutbox;
    }
    if (!session) return () => undefined;
    const message = ownMessage(text, now, { model: "notice", stopReason: "stop" });
    const { sessionId } = session;
    appendMessages(sql, { sessionId }, [message]);
    return () => {
      const { content, timestamp } = message;
      const shown = { role: "assistant" as const, content, timestamp };
      publish("chat", { runId: effectKey, sessionKey, seq: 0, state: "final", message: shown });
      sessionFeed.said({ sessionKey, sessionId }, [message]);
      sessionFeed.changed(sessionKey, "message");
    };
  };
}
