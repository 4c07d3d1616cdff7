// Methods of the Gateway itself: health, status, presence, log.

import { Fault } from "../base/fault.ts";
import { createLogReader, type LogReader } from "../platform/log-reader.ts";
import type { HandlersOf } from "../ports/method.ts";
import { hasScope } from "./auth/scopes.ts";
import { toBriefHealth, type Health } from "./health.ts";
import type { Presence } from "./presence.ts";
import { buildStatus, type StatusDependencies } from "./status.ts";

export interface GatewayMethodDependencies {
  readonly health: Health;
  readonly presence: Presence;
  readonly status: StatusDependencies;
  readonly logFile: () => string;
  /** Tells the main session, with its next turn. */
  readonly note: (text: string) => Promise<void>;
}

type Names = "health" | "status" | "system-presence" | "system-event" | "logs.tail";

export function createGatewayHandlers({
  health,
  presence,
  status,
  logFile,
  note,
}: GatewayMethodDependencies): HandlersOf<Names> {
  const readers = new Map<string, LogReader>();
  /** Where a connection was in which file is known for as long as it is there. */
  const readerOf = (connId: string, signal: AbortSignal): LogReader => {
    const known = readers.get(connId);
    if (known) return known;
    const reader = createLogReader(logFile);
    readers.set(connId, reader);
    signal.addEventListener("abort", () => readers.delete(connId), { once: true });
    return reader;
  };
  return {
    async health({ params, caller }) {
      const mayRead = hasScope(caller.scopes, "operator.read");
      const snapshot = await health.get(mayRead && params.probe === true);
      return mayRead ? snapshot : toBriefHealth(snapshot);
    },
    status: ({ params }) => buildStatus(status, { isChannelSummary: params.includeChannelSummary !== false }),
    "system-presence": async () => presence.list(),
    async "system-event"({ params }) {
      if (params.text.trim() === "") throw new Fault("invalid_params", "text required", { field: "text" });
      const news = presence.note(params);
      if (news !== "") await note(news);
      return { ok: true };
    },
    "logs.tail": ({ params, caller, signal }) => readerOf(caller.connId, signal).read(params),
  };
}
