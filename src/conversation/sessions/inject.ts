// `chat.inject`: words put into the agent's mouth, without a run. They stand in the transcript and are shown by clients; no chat
// gets them.

import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { Ids, SessionKey } from "../../base/ids.ts";
import type { Database } from "../../platform/database.ts";
import type { Publish } from "../../ports/publish.ts";
import { findSession, touchSession } from "../store/sessions.ts";
import { appendMessages } from "../store/transcript.ts";
import type { SessionFeed } from "./feed.ts";
import { ownMessage } from "./record.ts";

/**
 * @returns the id of the message.
 * @throws Fault `not_found` when there is no such session.
 */
export type Inject = (sessionKey: SessionKey, text: string, label: string | undefined) => Promise<string>;

export function createInject(dependencies: {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly publish: Publish;
  readonly sessionFeed: SessionFeed;
}): Inject {
  const { database, clock, ids, publish, sessionFeed } = dependencies;
  return async (sessionKey, text, label) => {
    const name = label?.trim();
    const message = ownMessage(name ? `[${name}]\n\n${text}` : text, clock.now(), {
      model: "injected",
      stopReason: "injected",
    });
    const { content, timestamp } = message;
    const sessionId = await database.write((sql) => {
      const session = findSession(sql, sessionKey);
      if (!session) {
        throw new Fault("not_found", "session not found", { field: "sessionKey", next: "see sessions.list" });
      }
      const { agentId } = session;
      appendMessages(sql, { sessionId: session.sessionId }, [message]);
      touchSession(sql, { key: sessionKey, sessionId: session.sessionId, agentId, now: timestamp });
      return session.sessionId;
    });
    const messageId = ids.secret(4);
    publish("chat", {
      runId: `inject-${messageId}`,
      sessionKey,
      seq: 0,
      state: "final",
      message: { role: "assistant", content, timestamp },
    });
    sessionFeed.said({ sessionKey, sessionId }, [message]);
    sessionFeed.changed(sessionKey, "message");
    return messageId;
  };
}
