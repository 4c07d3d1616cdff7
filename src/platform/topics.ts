// Which connections asked for which events. A subscription ends with its connection.

import { Fault } from "../base/fault.ts";
import type { Topics } from "../ports/topics.ts";

/** For one connection: more than a client shows at once. */
const maxTopics = 256;

export function createTopics(): Topics {
  const byTopic = new Map<string, Set<string>>();
  const byConnection = new Map<string, Set<string>>();

  const remove = (topic: string, connId: string) => {
    const connections = byTopic.get(topic);
    connections?.delete(connId);
    if (connections?.size === 0) byTopic.delete(topic);
    byConnection.get(connId)?.delete(topic);
  };
  const open = (connId: string, signal: AbortSignal): Set<string> => {
    const topics = new Set<string>();
    byConnection.set(connId, topics);
    const forget = () => {
      for (const topic of topics) remove(topic, connId);
      byConnection.delete(connId);
    };
    signal.addEventListener("abort", forget, { once: true });
    return topics;
  };

  return {
    add(topic, connId, signal) {
      if (signal.aborted) return;
      const topics = byConnection.get(connId) ?? open(connId, signal);
      if (topics.size >= maxTopics && !topics.has(topic)) {
        throw new Fault("overloaded", `no more than ${maxTopics} subscriptions on a connection`, {
          next: "unsubscribe from what is no longer shown",
        });
      }
      topics.add(topic);
      const connections = byTopic.get(topic) ?? new Set();
      byTopic.set(topic, connections);
      connections.add(connId);
    },
    remove,
    has: (topic, connId) => byTopic.get(topic)?.has(connId) ?? false,
    isWanted: (topic) => byTopic.has(topic),
  };
}

/** The topic of an event, or of an event of one session. */
export function topicOf(event: string, sessionKey?: string): string {
  return sessionKey === undefined ? event : `${event} ${sessionKey}`;
}
