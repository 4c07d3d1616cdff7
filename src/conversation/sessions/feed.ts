// Tells clients that asked for it what happens to sessions: `sessions.changed`, `session.message`. Always after the commit.

import type { Clock } from "../../base/clock.ts";
import type { RunId, SessionKey } from "../../base/ids.ts";
import type { Log } from "../../base/log.ts";
import type { Database } from "../../platform/database.ts";
import { topicOf } from "../../platform/topics.ts";
import type { Publish } from "../../ports/publish.ts";
import type { Topics } from "../../ports/topics.ts";
import type { TranscriptMessage } from "../../ports/turn.ts";
import { findSession } from "../store/sessions.ts";
import { renderSession, type ViewModel } from "./render.ts";

export interface SessionFeed {
  /** Never throws; reads nothing when nobody has asked. */
  changed(key: SessionKey, reason: "start" | "end" | "message" | "patch" | "reset" | "compact" | "delete"): void;
  said(
    place: { readonly sessionKey: SessionKey; readonly sessionId: string; readonly runId?: RunId },
    messages: readonly TranscriptMessage[],
  ): void;
}

export function createSessionFeed(dependencies: {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: Publish;
  readonly topics: Pick<Topics, "isWanted">;
  readonly viewModel: ViewModel;
}): SessionFeed {
  const { database, clock, log, publish, topics, viewModel } = dependencies;
  return {
    changed(sessionKey, reason) {
      if (!topics.isWanted(topicOf("sessions.changed"))) return;
      database
        .read((sql) => findSession(sql, sessionKey))
        .then((session) =>
          publish("sessions.changed", {
            sessionKey,
            reason,
            ts: clock.now(),
            ...(session ? { session: renderSession(session, { viewModel }) } : {}),
          }),
        )
        .catch((error: unknown) => log.warn("cannot tell that a session changed", { sessionKey, error }));
    },
    said({ sessionKey, sessionId, runId }, messages) {
      if (!topics.isWanted(topicOf("session.message", sessionKey))) return;
      for (const message of messages) {
        publish("session.message", { sessionKey, sessionId, ts: clock.now(), message, ...(runId ? { runId } : {}) });
      }
    },
  };
}
