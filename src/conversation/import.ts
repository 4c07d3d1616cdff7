// What an older program kept in files comes into the database: people who were let in, and conversations. What is there stays.

import type { SessionKey } from "../base/ids.ts";
import type { Database } from "../platform/database.ts";
import type { DeliveryTarget } from "../ports/message.ts";
import type { TranscriptMessage } from "../ports/transcript.ts";
import { allowSender, forgetSender, isAllowed, type AllowedSender } from "./store/pairing.ts";
import { deleteSession, findSession, findSessionById, touchSession } from "./store/sessions.ts";
import { appendMessages, countMessages, deleteMessages } from "./store/transcript.ts";

export type { AllowedSender } from "./store/pairing.ts";

export interface OlderSession {
  readonly key: SessionKey;
  readonly sessionId: string;
  readonly agentId: string;
  /** Ms since the epoch. */
  readonly updatedAt: number;
  readonly route: DeliveryTarget | undefined;
  readonly chatKind: "direct" | "group";
  readonly messages: readonly TranscriptMessage[];
}

/** Enough to take an imported conversation out again, as long as nothing was said in it since. */
export interface ImportedSession {
  readonly sessionId: string;
  readonly messages: number;
}

export interface Import {
  /** Those of them who are not let in yet. */
  strangers(senders: readonly AllowedSender[]): Promise<readonly AllowedSender[]>;
  letIn(senders: readonly AllowedSender[], now: number): Promise<void>;
  forgetSenders(senders: readonly AllowedSender[]): Promise<void>;
  /** True where neither the key nor the id is in use. */
  isNew(session: Pick<OlderSession, "key" | "sessionId">): Promise<boolean>;
  /** One commit a session; one whose key or id is in use is left out. */
  takeSessions(sessions: readonly OlderSession[]): Promise<readonly ImportedSession[]>;
  /** @returns how many were left, since something was said in them. */
  forgetSessions(sessions: readonly ImportedSession[]): Promise<number>;
}

export function createImport(database: Database): Import {
  return {
    strangers: (senders) =>
      database.read((sql) => senders.filter((one) => !isAllowed(sql, one.channel, one.account, one.senderId))),
    letIn: (senders, now) => database.write((sql) => senders.forEach((sender) => allowSender(sql, sender, now))),
    forgetSenders: (senders) => database.write((sql) => senders.forEach((sender) => forgetSender(sql, sender))),
    isNew: ({ key, sessionId }) =>
      database.read((sql) => findSession(sql, key) === undefined && findSessionById(sql, sessionId) === undefined),
    async takeSessions(sessions) {
      const taken: ImportedSession[] = [];
      for (const session of sessions) {
        const isTaken = await database.write((sql) => {
          const { key, sessionId, agentId, route, chatKind, messages, updatedAt } = session;
          if (findSession(sql, key) || findSessionById(sql, sessionId)) return false;
          touchSession(sql, { key, sessionId, agentId, now: updatedAt, chatKind, ...(route ? { route } : {}) });
          appendMessages(sql, { sessionId }, messages);
          return true;
        });
        if (isTaken) taken.push({ sessionId: session.sessionId, messages: session.messages.length });
      }
      return taken;
    },
    forgetSessions: (sessions) =>
      database.write((sql) => {
        let left = 0;
        for (const { sessionId, messages } of sessions) {
          const row = findSessionById(sql, sessionId);
          if (!row) continue;
          if (countMessages(sql, sessionId, messages + 1) === messages) {
            deleteMessages(sql, sessionId);
            deleteSession(sql, row.key);
          } else left += 1;
        }
        return left;
      }),
  };
}
