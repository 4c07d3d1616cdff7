// `wake`: tells the agent's main session of something, and has it look at once where that is asked for.

import { parseRunId, type Ids } from "../base/ids.ts";
import type { Database } from "../platform/database.ts";
import type { Caller } from "../ports/method.ts";
import type { Intake } from "./intake.ts";
import { widenSessionKey, type RoutePolicy } from "./route.ts";
import { createRunInbound } from "./run-inbound.ts";
import { findSession } from "./store/sessions.ts";
import type { SystemEvents } from "./system-events.ts";

export interface WakeRequest {
  readonly text: string;
  readonly mode: "now" | "next-heartbeat";
  readonly caller: Caller;
  /** The `traceparent` of what it came with. */
  readonly trace?: string | undefined;
}

export interface WakeDependencies {
  readonly database: Database;
  readonly ids: Ids;
  readonly intake: Intake;
  readonly systemEvents: SystemEvents;
  readonly routePolicy: () => RoutePolicy;
}

const prompt = "Look at the events above. Act on them and tell me, if there is something to do or to know.";

/** @returns false for a blank text, which wakes nobody. */
export async function wake(
  { text, mode, caller, trace }: WakeRequest,
  { database, ids, intake, systemEvents, routePolicy }: WakeDependencies,
): Promise<boolean> {
  if (text.trim() === "") return false;
  const sessionKey = widenSessionKey("main", routePolicy());
  await systemEvents.note(sessionKey, text);
  if (mode === "next-heartbeat") return true;
  const deliver = await database.read((sql) => findSession(sql, sessionKey)?.lastRoute);
  await intake.submit(
    createRunInbound({
      caller,
      runId: parseRunId(ids.uuid()),
      sessionKey,
      text: prompt,
      attachments: [],
      ...(deliver ? { deliver } : {}),
      trace,
    }),
  );
  return true;
}
